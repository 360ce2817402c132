// Drives one unit, compiled by CXXRTL, through many codes. Generated text in front of this defines
//   DUT        the class of the unit
//   INTERFACE  0 comb, 1 pipe, 2 stream and AXI4-Stream
//   CLK ...    the member for each port by its role, and I_READY_NAME ... what messages call it
//   LANES      codes taken at a time, of WIDTH bits each; PUT_CODES(word, noise) puts them on their ports
//   PADDED     whether there is padding above them, which the noise goes to
//   CHANNELS   results a lane; CODES gives those of all lanes by commas, FORMATS {width, that with padding, signed}
//   SIDES      what travels beside the data (nothing if there is nothing): {width, width of the answer if it is the
//              keep bits of a lane, else 0, name}; PUT_SIDES(side) puts them on their ports, TAKE_SIDES reads them
//   ACTIVE     level of the reset, if there is one
//   LATENCY    what the design promises
//   ADDERS     a string of the operations to watch, WATCH the calls of watch<operation, widths>(...) for each
// Usage: simulate RESULTS SEED FIRST SECOND START COUNT [CODES]. Drives COUNT codes from START on, or those in a
// file. Codes and results are 32-bit words. FIRST and SECOND are codes of different outputs. SEED 0 runs at full
// rate. One JSON object goes to stdout.

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
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

template <class Port> static void put(Port &port, Word value) { port.template set<Word>(value); }
template <class Port> static Word take(const Port &port) { return port.template get<Word>(); }

// `padded` bits of a port from `low` on.
template <size_t low, size_t padded, size_t bits> static Word field(const cxxrtl::value<bits> &port) {
    const size_t chunk = low / 32, offset = low % 32;
    Word word = port.data[chunk] >> offset;
    if (offset + padded > 32) word |= (Word)port.data[offset + padded > 32 ? chunk + 1 : chunk] << (32 - offset);
    return word & ((Word)1 << padded) - 1;
}
template <size_t low, size_t padded, size_t bits> static Word field(const cxxrtl::wire<bits> &port) {
    return field<low, padded>(port.curr);
}
template <size_t low, size_t width, size_t padded, size_t bits>
static void put_field(cxxrtl::value<bits> &port, Word word, Word noise) {
    const Word code = ((Word)1 << width) - 1, mask = ((Word)1 << padded) - 1;
    const size_t chunk = low / 32, offset = low % 32;
    word = ((word & code) | (noise & mask & ~code)) << offset;
    port.data[chunk] = port.data[chunk] & ~(uint32_t)(mask << offset) | (uint32_t)word;
    if (offset + padded > 32) {
        uint32_t &next = port.data[offset + padded > 32 ? chunk + 1 : chunk];
        next = next & ~(uint32_t)(mask << offset >> 32) | (uint32_t)(word >> 32);
    }
}

static DUT dut;
static Random stall, noise = {88172645463325252ull};
static Word start, count;
static std::vector<uint32_t> codes, results;
static Word received;
static long cycle, begun, ended;
static int latency = -1;
static std::string violation;

static bool full_rate() { return stall.state == 0; }
static bool refuse(const std::string &sentence) { return violation = sentence, false; }

// -- what goes in -------------------------------------------------------------------------------

static Word code(Word number) { return codes.empty() ? start + number : codes[number]; }

static void put_codes(const Word *word) {
    const Word rubbish = PADDED ? noise.next() : 0;
    PUT_CODES(word, rubbish);
}

// Every lane takes every code, and is ahead of the one below, so that different lanes have different codes.
static void put_beat(Word number) {
    static const Word step = count / LANES ? count / LANES : 1;
    Word word[LANES];
    for (int lane = 0; lane < LANES; lane++) word[lane] = code((number + lane * step) % count);
    put_codes(word);
}

static void put_alike(Word word) {
    Word words[LANES];
    for (Word &one : words) one = word;
    put_codes(words);
}

static void put_garbage() {
    Word word[LANES];
    for (Word &one : word) one = noise.next();
    put_codes(word);
}

// -- what comes out -----------------------------------------------------------------------------

struct Format {
    int width, padded;
    bool sign;
};
static const Format formats[] = {FORMATS};

struct Outputs {
    Word word[LANES * CHANNELS];
    bool operator!=(const Outputs &other) const {
        bool differs = false;
        for (int k = 0; k < LANES * CHANNELS; k++) differs |= word[k] != other.word[k];
        return differs;
    }
};

static Outputs outputs() { return {{CODES}}; }

static Word ones(int width) { return ((Word)1 << width) - 1; }

// Padding repeats the sign, or is 0; AXI4-Stream alone has any.
static bool receive(const Outputs &now) {
    for (int k = 0; k < LANES * CHANNELS; k++) {
        Format format = formats[k % CHANNELS];
        Word low = now.word[k] & ones(format.width), padding = ones(format.padded) ^ ones(format.width);
        bool negative = format.sign && low >> (format.width - 1);
        if (now.word[k] != (negative ? low | padding : low))
            return refuse("Port " Y_NAME " must repeat signs in its padding and have zeros above unsigned codes");
        results.push_back(low);
    }
    received++;
    return true;
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
           latency, ended - begun, cycle, seconds, violation.c_str());
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
        put_beat(received);
        rest();
        watch();
        if (!receive(outputs())) return false;
    }
    return true;
}

#else

static void settle() {
    put(dut.CLK, 0u);
    rest();
}

static void edge() {
    put(dut.CLK, 1u);
    rest();
    cycle++;
}

static void reset() {
#ifdef ACTIVE
    put(dut.RST, ACTIVE);
    for (int k = 0; k < 3; k++) settle(), edge();
    settle();
    put(dut.RST, !ACTIVE);
#endif
}

#endif
#if INTERFACE == 1

// Cycles from a change of the input to a change of the outputs.
static void measure(Word first, Word second) {
    put(dut.CE, 1u);
    put_alike(first);
    for (int k = 0; k < SETTLED; k++) settle(), edge();
    settle();
    Outputs before = outputs();
    put_alike(second);
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
        put(dut.CE, enable);
        if (enable && (full_rate() || edges < count))
            put_beat(edges);
        else
            put_garbage();
        settle();
        if (full_rate() && edges >= LATENCY) watch();
        Outputs now = outputs();
        if (enabled && edges >= LATENCY && !receive(now)) return false;
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

// What travels beside the data: drawn with each beat, and expected beside its results.
struct Side {
    int width, kept;
    const char *name;
};
#ifdef SIDES
static const Side sides[] = {SIDES};
static const size_t BESIDE = sizeof sides / sizeof *sides;
static Word side[BESIDE];
static std::deque<std::vector<Word>> waiting;

// Of the keep bits of a lane, half are all ones: a code counts where all of its bytes do.
static void draw_sides() {
    for (size_t k = 0; k < BESIDE; k++)
        side[k] = sides[k].kept && noise.next() & 4 ? ones(sides[k].width) : noise.next() >> 8 & ones(sides[k].width);
    PUT_SIDES(side);
}

static void expect_sides() {
    std::vector<Word> carried(side, side + BESIDE);
    for (size_t k = 0; k < BESIDE; k++)
        if (sides[k].kept) carried[k] = side[k] == ones(sides[k].width) ? ones(sides[k].kept) : 0;
    waiting.push_back(carried);
}

// Beside results that are shown: what came with their codes.
static bool sides_right() {
    const Word now[] = {TAKE_SIDES};
    for (size_t k = 0; k < BESIDE; k++)
        if (waiting.empty() || now[k] != waiting.front()[k])
            return refuse(std::string("Port ") + sides[k].name + " must carry what came with the code");
    return true;
}

static void drop_sides() { waiting.pop_front(); }
#else
static void draw_sides() {}
static void expect_sides() {}
static bool sides_right() { return true; }
static void drop_sides() {}
#endif

// The output side of one settled cycle; valid must be the same whatever ready is.
static bool valid() { return take(dut.O_VALID); }

static bool measure(Word first) {
    put(dut.O_READY, 0u);
    put(dut.I_VALID, 0u);
    settle();
    if (valid()) return refuse("Port " O_VALID_NAME " must be low after reset");
    put(dut.I_VALID, 1u);
    put_alike(first);
    for (int k = 0; settle(), !take(dut.I_READY); k++, edge())
        if (k == SETTLED) return refuse("Port " I_READY_NAME " must go high in an idle unit");
    edge();
    put(dut.I_VALID, 0u);
    put_garbage();
    for (int k = 1; k < SETTLED && latency < 0; k++, edge()) {
        settle();
        if (valid()) latency = k;
    }
    if (latency < 0) return refuse("Port " O_VALID_NAME " must go high before " O_READY_NAME " does");
    put(dut.O_READY, 1u);
    settle();
    edge();
    for (int k = 0; k < SETTLED; k++, edge())
        if (settle(), valid()) return refuse("Outputs must be one for each code");
    return true;
}

// A reset while every stage is full and more is offered.
static bool recover() {
    put(dut.O_READY, 0u);
    put(dut.I_VALID, 1u);
    for (int k = 0; k < SETTLED; k++) settle(), edge();
    reset();
    put(dut.I_VALID, 0u);
    settle();
#ifdef ACTIVE
    if (valid()) return refuse("Port " O_VALID_NAME " must be low after reset");
#else
    put(dut.O_READY, 1u);
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
    bool offered = false, held_back = false, held = false;
    Word sent = 0;
    long budget = cycle + 16 * (long)count + 1000;
    for (long idle = 0; cycle < budget && idle < SETTLED; edge()) {
        Word fed = cycle - begun;
        offered = offered || (sent < count && stall.coin());
        bool ready = stall.coin();
        put(dut.I_VALID, offered);
        if (!held_back) draw_sides();
        if (offered)
            put_beat(sent);
        else if (full_rate() && count)
            put_beat(fed);
        else
            put_garbage();
        bool early = false;
        if (!full_rate()) {
            put(dut.O_READY, !ready);
            settle();
            early = valid();
        }
        put(dut.O_READY, ready);
        settle();
        if (full_rate() && fed >= LATENCY) watch();
        Outputs now = outputs();
        if (!full_rate() && early != valid()) return refuse("Port " O_VALID_NAME " must not depend on " O_READY_NAME);
        if (held && !valid()) return refuse("Port " O_VALID_NAME " must stay high while stalled");
        if (held && now != last) return refuse("Outputs must be stable while stalled");
        if (valid() && ready && received == sent) return refuse("Outputs must be one for each code");
        if (valid() && !sides_right()) return false;
        if (valid() && ready) {
            if (!receive(now)) return false;
            drop_sides();
            ended = cycle;
        }
        held = valid() && !ready;
        last = now;
        idle = received == count ? idle + 1 : 0;
        held_back = offered && !take(dut.I_READY);
        if (offered && !held_back) expect_sides(), offered = false, sent++;
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
