// Drives one unit, compiled by CXXRTL, through many codes. Generated text in front of this defines
//   DUT        the class of the unit
//   INTERFACE  0 comb, 1 pipe, 2 stream
//   X          the member for the input; OUTPUTS the members for the CHANNELS outputs, by commas
//   RESET      the member for the reset, ACTIVE its level (neither if there is none)
//   LATENCY    what the design promises
//   ADDERS     a string of the operations to watch, WATCH the calls of watch<operation, widths>(...) for each
// Usage: simulate RESULTS SEED FIRST SECOND START COUNT [CODES]. Drives COUNT codes from START on, or those in a
// file. Codes and results are 32-bit words. FIRST and SECOND are codes of different outputs. SEED 0 runs at full
// rate. One JSON object goes to stdout.

#include <cstdio>
#include <cstdlib>
#include <time.h>
#include <type_traits>

typedef uint64_t Word;
static const int SETTLED = 80;      // more than any latency
static const int RESTLESS = 10000;  // more evaluations than any circuit needs to come to rest

struct Random {
    Word state;
    Word next() {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        return state;
    }
    bool coin() { return state == 0 || next() >> 40 & 1; }
};

struct Outputs {
    Word word[CHANNELS];
    bool operator!=(const Outputs &other) const {
        bool differs = false;
        for (int k = 0; k < CHANNELS; k++) differs |= word[k] != other.word[k];
        return differs;
    }
};

template <class Port> static void put(Port &port, Word value) { port.template set<Word>(value); }
template <class Port> static Word take(const Port &port) { return port.template get<Word>(); }

static DUT dut;
static Random stall, noise = {88172645463325252ull};
static Word start, count;
static std::vector<uint32_t> codes, results;
static Word received;
static long cycle, begun, ended;
static int latency = -1;
static const char *violation = "";

static Word code(Word number) { return codes.empty() ? (start + number) & WIDEST : codes[number]; }
static bool full_rate() { return stall.state == 0; }
static bool refuse(const char *sentence) { return violation = sentence, false; }

static Outputs outputs() { return {{OUTPUTS}}; }

static void receive(const Outputs &now) {
    for (Word word : now.word) results.push_back(word);
    received++;
}

// -- adders -------------------------------------------------------------------------------------

// For each adder the readings of its ports as signed numbers (bits 0 and 1 for the operands, bit 2 for the result)
// that have given the result of the integers for all codes so far. Both operands are read alike, as one number may
// stand on both, but for the distance of a shift, which has no sign.
static const char OPERATIONS[] = ADDERS;
static const int WATCHED = sizeof OPERATIONS - 1;
static unsigned readings[WATCHED + 1];

static unsigned all_readings(char operation) {
    unsigned operands = operation == '<' ? 1 << 0 | 1 << 1 : 1 << 0 | 1 << 3;
    return operands | operands << 4;
}

// `minus` says which words stand for themselves less 2^width.
template <char operation, int A, int B, int Y> static bool exact(Word a, Word b, Word y, unsigned minus) {
    typedef typename std::conditional<(operation == '<' || A + B > 60 || Y > 60), __int128, int64_t>::type Number;
    Number first = (Number)a - ((Number)(minus & 1) << A), second = (Number)b - ((Number)(minus >> 1 & 1) << B);
    Number result = (Number)y - ((Number)(minus >> 2 & 1) << Y);
    if (operation == '+') return first + second == result;
    if (operation == '-') return first - second == result;
    if (operation == '*') return first * second == result;
    return b < 63 ? first * ((Number)1 << b) == result : first == 0 && result == 0;
}

template <char operation, int A, int B, int Y> static void watch(unsigned &kept, Word a, Word b, Word y) {
    y &= ~0ull >> (64 - Y);
    unsigned negative = a >> (A - 1) | b >> (B - 1) << 1 | y >> (Y - 1) << 2, right = 0;
    for (unsigned reading = kept; reading; reading &= reading - 1) {
        unsigned number = __builtin_ctz(reading), same = number & negative;  // the reading with the same numbers
        bool known = same < number && kept >> same & 1;
        right |= (known ? right >> same & 1 : exact<operation, A, B, Y>(a, b, y, same)) << number;
        if (!negative) right = right ? kept : 0, reading = 1;  // no port can be read in two ways
    }
    kept = right;
}

static void watch() { WATCH; }

// -- the end, which may come early --------------------------------------------------------------

static const char *file_name;
static timespec launched;

static void finish() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double seconds = now.tv_sec - launched.tv_sec + 1e-9 * (now.tv_nsec - launched.tv_nsec);
    FILE *file = fopen(file_name, "wb");
    if (!file || fwrite(results.data(), sizeof(uint32_t), results.size(), file) != results.size() || fclose(file)) exit(1);
    printf("{\"latency\": %d, \"cycles\": %ld, \"cycle\": %ld, \"seconds\": %.6f, \"violation\": \"%s\", \"readings\": [",
           latency, ended - begun, cycle, seconds, violation);
    for (int k = 0; k < WATCHED; k++) printf("%s%u", k ? ", " : "", readings[k]);
    printf("]}\n");
    exit(0);
}

static void rest() {
    for (int k = 0; k < RESTLESS; k++) {
        bool converged = dut.eval();
        if (!dut.commit() || converged) return;
    }
    refuse("Circuit must come to rest");
    finish();
}

#if INTERFACE == 0

static bool run(Word, Word) {
    latency = 0;
    for (; received < count; cycle++) {
        put(dut.X, code(received));
        rest();
        watch();
        receive(outputs());
    }
    return true;
}

#else

static Word garbage() { return noise.next() & WIDEST; }

static void settle() {
    put(dut.p_clk, 0u);
    rest();
}

static void edge() {
    put(dut.p_clk, 1u);
    rest();
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

// At full rate the first codes follow the last, so that every stage meets every code among codes alone.
static bool run(Word first, Word second) {
    reset();
    measure(first, second);
    reset();
    begun = cycle;
    Outputs last = {};
    bool enabled = false;
    for (Word edges = 0; received < count;) {
        bool enable = stall.coin();
        put(dut.p_ce, enable);
        put(dut.X, enable && (full_rate() || edges < count) ? code(edges % count) : garbage());
        settle();
        if (full_rate() && edges >= LATENCY) watch();
        Outputs now = outputs();
        if (enabled && edges >= LATENCY) receive(now);
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

// At full rate the first codes follow the last, not valid, so that every stage meets every code among codes alone.
static bool run(Word first, Word) {
    reset();
    if (!measure(first) || !recover()) return false;
    begun = cycle;
    Outputs last = {};
    bool offered = false, held = false;
    Word sent = 0;
    long budget = cycle + 16 * (long)count + 1000;
    for (long idle = 0; cycle < budget && idle < SETTLED; edge()) {
        Word fed = cycle - begun;
        offered = offered || (sent < count && stall.coin());
        bool ready = stall.coin();
        put(dut.p_i__valid, offered);
        put(dut.X, offered ? code(sent) : full_rate() && count ? code(fed % count) : garbage());
        bool early = false;
        if (!full_rate()) {
            put(dut.p_o__ready, !ready);
            settle();
            early = valid();
        }
        put(dut.p_o__ready, ready);
        settle();
        if (full_rate() && fed >= LATENCY) watch();
        Outputs now = outputs();
        if (!full_rate() && early != valid()) return refuse("Port o_valid must not depend on o_ready");
        if (held && !valid()) return refuse("Port o_valid must stay high while stalled");
        if (held && now != last) return refuse("Outputs must be stable while stalled");
        if (valid() && ready) {
            if (received == sent) return refuse("Outputs must be one for each code");
            receive(now);
            ended = cycle;
        }
        held = valid() && !ready;
        last = now;
        idle = received == count ? idle + 1 : 0;
        if (offered && take(dut.p_i__ready)) offered = false, sent++;
    }
    return true;
}

#endif

static Word argument(const char *text) { return strtoull(text, nullptr, 10); }

int main(int arguments, char **argv) {
    file_name = argv[1];
    stall.state = argument(argv[2]);
    start = argument(argv[5]), count = argument(argv[6]);
    if (arguments > 7) {
        codes.resize(count);
        FILE *file = fopen(argv[7], "rb");
        if (!file || fread(codes.data(), sizeof(uint32_t), count, file) != count) return 1;
    }
    results.reserve(CHANNELS * count);
    for (int k = 0; k < WATCHED; k++) readings[k] = all_readings(OPERATIONS[k]);
    clock_gettime(CLOCK_MONOTONIC, &launched);
    run(argument(argv[3]), argument(argv[4]));
    finish();
}
