// Drives one unit, compiled by CXXRTL, through a list of codes. Generated text in front of this defines
//   DUT        the class of the unit
//   INTERFACE  0 comb, 1 pipe, 2 stream
//   X          the member for the input; OUTPUTS the members for the outputs, by commas
//   RESET      the member for the reset, ACTIVE its level (neither if there is none)
//   LATENCY    what the design promises
// Usage: simulate CODES RESULTS SEED FIRST SECOND. Codes and results are 64-bit words. FIRST and SECOND are
// codes of different outputs. SEED 0 runs at full rate. One JSON object goes to stdout.

#include <cstdio>
#include <cstdlib>

typedef uint64_t Word;
static const int SETTLED = 80;  // more than any latency

struct Random {
    Word state;
    Word next() {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        return state;
    }
    bool coin() { return state == 0 || next() >> 40 & 1; }
};

struct Outputs {
    Word word[2];
    bool operator!=(const Outputs &other) const { return word[0] != other.word[0] || word[1] != other.word[1]; }
};

template <class Port> static void put(Port &port, Word value) { port.template set<Word>(value); }
template <class Port> static Word take(const Port &port) { return port.template get<Word>(); }

static DUT dut;
static Random stall, noise = {88172645463325252ull};
static std::vector<Word> codes;
static std::vector<Outputs> results;
static long cycle, begun, ended;
static int latency = -1;
static const char *violation = "";

static Outputs outputs() {
    Outputs now = {{0, 0}};
    Word *word = now.word;
    for (Word value : {OUTPUTS}) *word++ = value;
    return now;
}

#if INTERFACE == 0

static bool run() {
    latency = 0;
    for (Word code : codes) {
        put(dut.X, code);
        dut.step();
        results.push_back(outputs());
    }
    return true;
}

#else

static Word garbage() { return noise.next() & WIDEST; }
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

static void reset() {
#ifdef RESET
    put(dut.RESET, ACTIVE);
    for (int k = 0; k < 3; k++) settle(), edge();
    settle();
    put(dut.RESET, !ACTIVE);
#endif
}

#endif
#if INTERFACE == 1

// Cycles from a change of the input to a change of the outputs.
static void measure(Word first, Word second) {
    put(dut.p_ce, 1u);
    put(dut.X, first);
    for (int k = 0; k < SETTLED; k++) settle(), edge();
    settle();
    Outputs before = outputs();
    put(dut.X, second);
    for (int k = 0; k < SETTLED; k++, edge()) {
        settle();
        if (outputs() != before) {
            latency = k;
            return;
        }
    }
}

static bool run(Word first, Word second) {
    reset();
    measure(first, second);
    reset();
    begun = cycle;
    Outputs last = {{0, 0}};
    bool enabled = false;
    size_t edges = 0;
    while (results.size() < codes.size()) {
        bool enable = stall.coin();
        put(dut.p_ce, enable);
        put(dut.X, enable && edges < codes.size() ? codes[edges] : garbage());
        settle();
        Outputs now = outputs();
        if (enabled && edges >= LATENCY) results.push_back(now);
        if (!enabled && edges >= LATENCY && now != last) return refuse("Outputs must be stable while ce is low");
        last = now;
        edge();
        enabled = enable;
        edges += enable;
    }
    ended = cycle - 1;
    return true;
}

#elif INTERFACE == 2

// The output side of one settled cycle; valid must be the same whatever ready is.
static bool valid() { return take(dut.p_o__valid); }

static bool measure(Word first) {
    put(dut.p_o__ready, 0u);
    put(dut.p_i__valid, 0u);
    settle();
    if (valid()) return refuse("Port o_valid must be low after reset");
    put(dut.p_i__valid, 1u);
    put(dut.X, first);
    for (int k = 0; settle(), !take(dut.p_i__ready); k++, edge())
        if (k == SETTLED) return refuse("Port i_ready must go high in an idle unit");
    edge();
    put(dut.p_i__valid, 0u);
    put(dut.X, garbage());
    for (int k = 1; k < SETTLED && latency < 0; k++, edge()) {
        settle();
        if (valid()) latency = k;
    }
    if (latency < 0) return refuse("Port o_valid must go high before o_ready does");
    put(dut.p_o__ready, 1u);
    settle();
    edge();
    for (int k = 0; k < SETTLED; k++, edge())
        if (settle(), valid()) return refuse("Outputs must be one for each code");
    return true;
}

// A reset while every stage is full and more is offered.
static bool recover() {
    put(dut.p_o__ready, 0u);
    put(dut.p_i__valid, 1u);
    for (int k = 0; k < SETTLED; k++) settle(), edge();
    reset();
    put(dut.p_i__valid, 0u);
    settle();
#ifdef RESET
    if (valid()) return refuse("Port o_valid must be low after reset");
#else
    put(dut.p_o__ready, 1u);
    for (int k = 0; k < SETTLED; k++) settle(), edge();
#endif
    return true;
}

static bool run(Word first, Word) {
    reset();
    if (!measure(first) || !recover()) return false;
    begun = cycle;
    Outputs last = {{0, 0}};
    bool offered = false, held = false;
    size_t sent = 0;
    long budget = cycle + 16 * (long)codes.size() + 1000;
    for (long idle = 0; cycle < budget && idle < SETTLED; edge()) {
        offered = offered || (sent < codes.size() && stall.coin());
        bool ready = stall.coin();
        put(dut.p_i__valid, offered);
        put(dut.X, offered ? codes[sent] : garbage());
        put(dut.p_o__ready, !ready);
        settle();
        bool early = valid();
        put(dut.p_o__ready, ready);
        settle();
        Outputs now = outputs();
        if (early != valid()) return refuse("Port o_valid must not depend on o_ready");
        if (held && !valid()) return refuse("Port o_valid must stay high while stalled");
        if (held && now != last) return refuse("Outputs must be stable while stalled");
        if (valid() && ready) {
            if (results.size() == sent) return refuse("Outputs must be one for each code");
            results.push_back(now);
            ended = cycle;
        }
        held = valid() && !ready;
        last = now;
        idle = results.size() == codes.size() ? idle + 1 : 0;
        if (offered && take(dut.p_i__ready)) offered = false, sent++;
    }
    return true;
}

#endif

static Word argument(const char *text) { return strtoull(text, nullptr, 10); }

int main(int, char **argv) {
    FILE *file = fopen(argv[1], "rb");
    for (Word code; fread(&code, sizeof code, 1, file) == 1;) codes.push_back(code);
    fclose(file);
    results.reserve(codes.size());
    stall.state = argument(argv[3]);
#if INTERFACE == 0
    run();
#else
    run(argument(argv[4]), argument(argv[5]));
#endif
    file = fopen(argv[2], "wb");
    fwrite(results.data(), sizeof(Outputs), results.size(), file);
    if (fclose(file)) return 1;
    printf("{\"latency\": %d, \"cycles\": %ld, \"cycle\": %ld, \"violation\": \"%s\"}\n", latency, ended - begun, cycle,
           violation);
}
