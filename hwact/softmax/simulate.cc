// Drives a softmax unit, compiled by CXXRTL, through vectors. Generated text in front of this defines
//   DUT     the class of the unit
//   RESET   the member for the reset, ACTIVE its level (neither if there is none)
//   PATIENCE  cycles without any transfer after which the unit has nothing more to say
// Usage: simulate ELEMENTS RESULTS SEED. Elements and results are pairs of 64-bit words, code and last.
// SEED 0 runs at full rate. One JSON object goes to stdout.

#include <cstdio>
#include <cstdlib>

typedef uint64_t Word;

struct Element {
    Word code, last;
    bool operator!=(const Element &other) const { return code != other.code || last != other.last; }
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
static Random stall, noise = {88172645463325252ull};
static std::vector<Element> elements, results;
static long cycle;
static const char *violation = "";

static bool refuse(const char *sentence) { return violation = sentence, false; }
static bool valid() { return take(dut.p_o__valid); }

static void settle() {
    put(dut.p_clk, 0u);
    dut.step();
}

static void edge() {
    put(dut.p_clk, 1u);
    dut.step();
    cycle++;
}

static void reset() {
#ifdef RESET
    put(dut.RESET, ACTIVE);
    for (int k = 0; k < 3; k++) settle(), edge();
    settle();
    put(dut.RESET, !ACTIVE);
#endif
}

// Everything from the first element on, to the end or for some cycles.
static bool run(long limit) {
    Element last = {0, 0};
    bool offered = false, held = false;
    size_t sent = 0;
    results.clear();
    for (long idle = 0; idle < PATIENCE && limit != 0; edge(), limit--) {
        offered = offered || (sent < elements.size() && stall.coin());
        bool ready = stall.coin();
        put(dut.p_i__valid, offered);
        put(dut.p_i__payload, offered ? elements[sent].code : noise.next() & WIDEST);
        put(dut.p_i__last, offered ? elements[sent].last : noise.next() & 1);
        put(dut.p_o__ready, !ready);
        settle();
        bool early = valid();
        put(dut.p_o__ready, ready);
        settle();
        Element now = {take(dut.p_o__payload), take(dut.p_o__last)};
        if (early != valid()) return refuse("Port o_valid must not depend on o_ready");
        if (held && !valid()) return refuse("Port o_valid must stay high while stalled");
        if (held && now != last) return refuse("Outputs must be stable while stalled");
        idle++;
        if (valid() && ready) {
            if (results.size() == sent) return refuse("Outputs must be one for each element");
            results.push_back(now);
            idle = 0;
        }
        held = valid() && !ready;
        last = now;
        if (offered && take(dut.p_i__ready)) offered = false, sent++, idle = 0;
    }
    return true;
}

// Runs that a reset ends, at a different moment each, then one to the end.
static bool play() {
    reset();
#ifdef RESET
    for (long limit = 1; limit < 6 * PATIENCE; limit += 1 + limit / 3) {
        if (!run(limit)) return false;
        reset();
        put(dut.p_i__valid, 0u);
        settle();
        if (valid()) return refuse("Port o_valid must be low after reset");
    }
#endif
    return run(-1);
}

int main(int, char **argv) {
    FILE *file = fopen(argv[1], "rb");
    for (Element element; fread(&element, sizeof element, 1, file) == 1;) elements.push_back(element);
    fclose(file);
    stall.state = strtoull(argv[3], nullptr, 10);
    play();
    file = fopen(argv[2], "wb");
    fwrite(results.data(), sizeof(Element), results.size(), file);
    if (fclose(file)) return 1;
    printf("{\"cycle\": %ld, \"violation\": \"%s\"}\n", cycle, violation);
}
