// A circuit behind a serial line, clock cycle by clock cycle. Compiled with these definitions in front of it:
//   CIRCUIT  the class that Verilator made
//   CLOCK, RX, TX  its ports; LEDS and BUTTONS, where it has them
// Bytes become bits, and bits bytes, at the host's rate: if that is not the board's, they are garbage, as on a wire.

#include <cmath>
#include <cstdint>
#include "verilated.h"

double sc_time_stamp() { return 0; }

namespace {

// Bits of a byte that leaves the host: it knows its rate as a fraction of cycles.
struct Sender {
    double left = 0;
    unsigned bits = 0;  // stop bit and byte, to be sent; 1 once only the stop bit lasts
    bool level = true;

    bool idle() const { return bits == 0; }
    void begin(uint8_t byte) {
        bits = 0x200u | unsigned(byte) << 1;  // start bit, byte, stop bit
        level = false;
    }
    void step(double period) {
        if (bits == 0) return;
        if (left <= 0) {
            left += period;
            if (bits == 1) { level = true; }
            else { level = bits & 1; }
        }
        left -= 1;
        if (left <= 0) { bits >>= 1; }
    }
};

// A byte that comes to the host: the middle of each bit counts.
struct Receiver {
    double left = 0;
    int place = -1;
    unsigned byte = 0;
    bool before = true;

    // Whether a byte is complete.
    bool step(bool line, double period) {
        bool fell = before && !line;
        before = line;
        if (place < 0) {
            if (fell) { place = 0; byte = 0; left = period / 2; }
            return false;
        }
        left -= 1;
        if (left > 0) return false;
        left += period;
        if (place == 0 && line) { place = -1; return false; }
        if (place >= 1 && place <= 8) byte |= unsigned(line) << (place - 1);
        if (++place <= 9) return false;
        place = -1;
        return true;
    }
};

struct Machine {
    VerilatedContext context;
    CIRCUIT circuit{&context, "board"};
    Sender sender;
    Receiver receiver;
};

}  // namespace

extern "C" {

void *machine_new() {
    auto machine = new Machine;
    machine->circuit.RX = 1;
    machine->circuit.eval();
    return machine;
}

void machine_delete(void *handle) { delete static_cast<Machine *>(handle); }

// Run at most `cycles`; send `count` bytes of `in`, of which `taken` are then gone, and receive at most `room` bytes.
// `lit` counts the cycles in which each LED was lit. Returns the number of bytes received.
uint32_t machine_run(void *handle, uint64_t cycles, double period, uint32_t buttons, const uint8_t *in, uint32_t count,
                     uint32_t *taken, uint8_t *out, uint32_t room, uint64_t *lit, uint64_t *done) {
    auto &machine = *static_cast<Machine *>(handle);
    auto &circuit = machine.circuit;
    uint32_t received = 0, sent = 0;
    uint64_t cycle = 0;
#ifdef BUTTONS
    circuit.BUTTONS = buttons;
#endif
    for (; cycle < cycles && received < room; ++cycle) {
        if (machine.sender.idle() && sent < count) machine.sender.begin(in[sent++]);
        machine.sender.step(period);
        circuit.RX = machine.sender.level;
        circuit.CLOCK = 1;
        circuit.eval();
        circuit.CLOCK = 0;
        circuit.eval();
        if (machine.receiver.step(circuit.TX, period)) out[received++] = machine.receiver.byte;
#ifdef LEDS
        for (uint32_t k = 0; k < LED_COUNT; ++k) lit[k] += circuit.LEDS >> k & 1;
#endif
    }
    *taken = sent;
    *done = cycle;
    return received;
}

}
