// Drives a programmable unit, compiled by CXXRTL, with codes and bus transfers at once. Generated text in front defines
//   DUT      the class of the unit
//   RESET    the member for the reset, ACTIVE its level (neither if there is none)
//   AXI      if the bus is AXI4-Lite; else it is Wishbone
//   PATIENCE cycles after which a transfer or a result must have come
// Usage: simulate CODES TRANSFERS RESULTS SEED. Codes are 64-bit words. A transfer is four of them: kind, address,
// data, strobes. Results are four: number of the code, output, and the least and the most swaps that it can have seen.
// SEED 0 runs at full rate. One JSON object goes to stdout.

#include <cstdio>
#include <cstdlib>
#include <vector>

typedef uint64_t Word;
enum Kind : Word { WRITE, WRITE_ERROR, READ, READ_ERROR, SWAP, BARRIER };

struct Transfer {
    Word kind, address, data, strobes;
    bool writes() const { return kind == WRITE || kind == WRITE_ERROR || kind == SWAP; }
    bool fails() const { return kind == WRITE_ERROR || kind == READ_ERROR; }
};

struct Result {
    Word number, output, least, most;
};

struct Random {
    Word state;
    Word next() {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        return state;
    }
    bool coin() { return state == 0 || next() >> 40 & 1; }
};

template <class Port> static void put(Port &port, Word value) { port.template set<Word>(value); }
template <class Port> static Word take(const Port &port) { return port.template get<Word>(); }

static DUT dut;
static Random stall;
static std::vector<Word> codes;
static std::vector<Transfer> transfers;
static std::vector<Result> results;
static long cycle;
static const char *violation = "";
static Word asked_swaps, done_swaps;

static bool refuse(const char *sentence) { return violation = sentence, false; }

static void settle() {
    put(dut.p_clk, 0u);
    dut.step();
}

static void edge() {
    put(dut.p_clk, 1u);
    dut.step();
    cycle++;
}

// One master: offers the transfer `now`, and tells with `finish` when it is over.
struct Master {
    size_t position = 0;
    bool begun = false, answered = false;
    Word answer = 0, error = 0;
#ifdef AXI
    bool sent_address = false, sent_data = false, offer_address = false, offer_data = false, held = false;
    Word held_data = 0, held_error = 0;

    void offer(const Transfer *now) {
        bool write = now && now->writes();
        if (now && !begun) begun = true, sent_address = sent_data = false;
        offer_address = now && !sent_address && (offer_address || stall.coin());
        offer_data = write && !sent_data && (offer_data || stall.coin());
        put(dut.p_s__axil__awvalid, write && offer_address);
        put(dut.p_s__axil__wvalid, offer_data);
        put(dut.p_s__axil__arvalid, now && !write && offer_address);
        put(dut.p_s__axil__awaddr, write ? now->address : 0);
        put(dut.p_s__axil__araddr, now && !write ? now->address : 0);
        put(dut.p_s__axil__wdata, write ? now->data : 0);
        put(dut.p_s__axil__wstrb, write ? now->strobes : 0);
        put(dut.p_s__axil__bready, stall.coin());
        put(dut.p_s__axil__rready, stall.coin());
    }

    // Readys must be the same whether there is a valid or not.
    bool independent() {
        Word before = readys();
        Word valids[] = {take(dut.p_s__axil__awvalid), take(dut.p_s__axil__wvalid), take(dut.p_s__axil__arvalid)};
        put(dut.p_s__axil__awvalid, !valids[0]), put(dut.p_s__axil__wvalid, !valids[1]), put(dut.p_s__axil__arvalid, !valids[2]);
        settle();
        bool same = before == readys();
        put(dut.p_s__axil__awvalid, valids[0]), put(dut.p_s__axil__wvalid, valids[1]), put(dut.p_s__axil__arvalid, valids[2]);
        settle();
        return same;
    }

    Word readys() {
        return take(dut.p_s__axil__awready) | take(dut.p_s__axil__wready) << 1 | take(dut.p_s__axil__arready) << 2;
    }

    bool look(const Transfer *now) {
        if (!independent()) return refuse("Ready of the bus must not depend on valid");
        bool write = now && now->writes();
        bool b = take(dut.p_s__axil__bvalid), r = take(dut.p_s__axil__rvalid);
        Word data = r ? take(dut.p_s__axil__rdata) : 0;
        Word code = b ? take(dut.p_s__axil__bresp) : r ? take(dut.p_s__axil__rresp) : 0;
        if (b && !(write && sent_address && sent_data)) return refuse("Port bvalid must follow address and data");
        if (r && !(now && !write && sent_address)) return refuse("Port rvalid must follow an address");
        if (held && !(b || r)) return refuse("Response must stay until it is taken");
        if (held && (data != held_data || code != held_error)) return refuse("Response must be stable until it is taken");
        answered = (b && take(dut.p_s__axil__bready)) || (r && take(dut.p_s__axil__rready));
        held = (b || r) && !answered, held_data = data, held_error = code;
        answer = data, error = code;
        if (code && code != 2) return refuse("Response must be OKAY or SLVERR");
        if (offer_address && (write ? take(dut.p_s__axil__awready) : take(dut.p_s__axil__arready)))
            sent_address = true, offer_address = false;
        if (offer_data && take(dut.p_s__axil__wready)) sent_data = true, offer_data = false;
        return true;
    }

    bool quiet() { return !take(dut.p_s__axil__bvalid) && !take(dut.p_s__axil__rvalid); }
#else
    void offer(const Transfer *now) {
        begun = now && (begun || stall.coin());
        put(dut.p_wb__cyc, begun);
        put(dut.p_wb__stb, begun);
        put(dut.p_wb__we, begun && now->writes());
        put(dut.p_wb__adr, begun ? now->address : 0);
        put(dut.p_wb__sel, begun ? now->strobes : 0);
        put(dut.p_wb__dat__w, begun ? now->data : 0);
    }

    bool look(const Transfer *now) {
        bool ack = take(dut.p_wb__ack), err = take(dut.p_wb__err);
        if (ack && err) return refuse("Ports ack and err must not both be high");
        if ((ack || err) && !begun) return refuse("Answer must follow a strobe");
        if (begun && (ack || err) == bool(take(dut.p_wb__stall))) return refuse("Port stall must fall with the answer");
        answered = ack || err, answer = take(dut.p_wb__dat__r), error = err;
        return true;
    }

    bool quiet() { return !take(dut.p_wb__ack) && !take(dut.p_wb__err); }
#endif
};

static void reset() {
#ifdef RESET
    put(dut.RESET, ACTIVE);
    for (int k = 0; k < 3; k++) settle(), edge();
    settle();
    put(dut.RESET, !ACTIVE);
#endif
}

// Every transfer, while codes stream in without an end; for some cycles, or until the last one is done.
static bool run(long limit) {
    Master master;
    bool offered = false, held = false;
    Word last = 0;
    size_t sent = 0, since = 0;
    std::vector<Result> flight;
    size_t oldest = 0;
    long idle = 0, waiting = 0;
    asked_swaps = done_swaps = 0;
    results.clear();
    for (; limit != 0; edge(), limit--) {
        bool barrier = master.position < transfers.size() && transfers[master.position].kind == BARRIER;
        if (barrier && since >= codes.size() && oldest == flight.size()) master.position++, barrier = false;
        if (master.position >= transfers.size()) return true;
        bool drained = barrier && since >= codes.size();
        const Transfer *now = barrier ? nullptr : &transfers[master.position];
        master.offer(now);
        if (now && now->kind == SWAP && asked_swaps == done_swaps && master.begun) asked_swaps++;
        offered = offered || (!drained && stall.coin());
        // Now and then nothing is taken for long, so that writes meet codes that stay.
        bool ready = stall.coin() && !(stall.state && cycle / 32 % 4 == 1);
        put(dut.p_i__valid, offered);
        put(dut.p_i__payload, offered ? codes[sent % codes.size()] : 0);
        put(dut.p_o__ready, !ready);
        settle();
        bool early = take(dut.p_o__valid);
        put(dut.p_o__ready, ready);
        settle();
        bool valid = take(dut.p_o__valid);
        Word output = take(dut.p_o__payload);
        if (early != valid) return refuse("Port o_valid must not depend on o_ready");
        if (held && !valid) return refuse("Port o_valid must stay high while stalled");
        if (held && output != last) return refuse("Outputs must be stable while stalled");
        if (valid && ready) {
            if (oldest == flight.size()) return refuse("Outputs must be one for each code");
            flight[oldest].output = output;
            results.push_back(flight[oldest++]);
            idle = 0;
        }
        held = valid && !ready, last = output;
        if (!master.look(now)) return false;
        if (offered && take(dut.p_i__ready)) {
            flight.push_back(Result{sent % codes.size(), 0, done_swaps, asked_swaps});
            offered = false, sent++, since++;
        }
        if (master.answered) {
            if (bool(master.error) != now->fails()) return refuse("Error must be given where there is no register, and nowhere else");
            if (now->kind == READ && master.answer != now->data) return refuse("Word must be read as it was written");
            if (now->kind == SWAP) done_swaps++, since = 0;
            master.begun = false, waiting = 0, master.position++;
        }
        if (++idle > PATIENCE && oldest < flight.size()) return refuse("Outputs must come, not stop");
        if (now && ++waiting > PATIENCE) return refuse("Transfers must end, not wait for ever");
    }
    return true;
}

// Runs that a reset ends, at a different moment each, then one to the end.
static bool play() {
    reset();
#ifdef RESET
    for (long limit = 1; limit < 3000; limit += 1 + limit / 2) {
        if (!run(limit)) return false;
        reset();
        Master().offer(nullptr);
        put(dut.p_i__valid, 0u);
        settle();
        if (take(dut.p_o__valid)) return refuse("Port o_valid must be low after reset");
        if (!Master().quiet()) return refuse("Bus must not answer after reset");
    }
#endif
    return run(-1);
}

template <class Item> static std::vector<Item> read(const char *path) {
    std::vector<Item> items;
    Item item;
    FILE *file = fopen(path, "rb");
    if (!file) exit(1);
    while (fread(&item, sizeof item, 1, file) == 1) items.push_back(item);
    fclose(file);
    return items;
}

int main(int, char **arguments) {
    codes = read<Word>(arguments[1]);
    transfers = read<Transfer>(arguments[2]);
    stall.state = strtoull(arguments[4], nullptr, 10);
    play();
    FILE *file = fopen(arguments[3], "wb");
    if (!file || fwrite(results.data(), sizeof(Result), results.size(), file) != results.size() || fclose(file)) return 1;
    printf("{\"cycle\": %ld, \"violation\": \"%s\"}\n", cycle, violation);
}
