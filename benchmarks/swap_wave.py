"""The timing diagram of a swap, drawn from a simulation: ``--write`` puts its WaveJSON into docs/waves."""

import json
import sys
from pathlib import Path

from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from hwact.programmable import Contents, ProgrammableSpec
from hwact.programmable.registers import CONTROL, writes_of

PATH = Path(__file__).resolve().parents[1] / "docs" / "waves" / "programmable_swap.json"
CYCLES = 16
#: Cycles of the diagram in which results are not taken.
STALLED = (5, 6)


def samples():
    """What the ports, and the two bits of STATUS, are in each cycle of the diagram (list of dict)."""
    design = ProgrammableSpec("SQ2.2", "SQ2.2", 2, name="unit").design()
    top, unit, rows = Module(), design.create(), []
    top.domains.sync = ClockDomain("sync")
    top.submodules.unit = unit
    constants = [Contents((-8, 0), (0, 0), (y << design.shift,) * 2) for y in (1, 2)]
    swap = (4 * CONTROL, 1)
    later = (writes_of(design, constants[0], 0)[0],)
    writes = [*writes_of(design, constants[0], 0), swap, *writes_of(design, constants[1], 0), swap, *later]
    first = len(writes) - 2

    async def bench(ctx):
        position, answered, codes = 0, True, 0
        ctx.set(unit.bus.bready, 1)
        ctx.set(unit.bus.wstrb, 15)
        while len(rows) < CYCLES:
            drawing = position >= first
            # A quiet start, then the diagram: two cycles before the swap is asked for.
            asks = position < len(writes) and answered and (not drawing or len(rows) >= 2)
            address, data = writes[min(position, len(writes) - 1)]
            ctx.set(unit.bus.awvalid, asks)
            ctx.set(unit.bus.wvalid, asks)
            ctx.set(unit.bus.awaddr, address)
            ctx.set(unit.bus.wdata, data)
            ctx.set(unit.i.valid, drawing)
            ctx.set(unit.i.payload, codes % 16)
            ctx.set(unit.o.ready, len(rows) not in STALLED)
            taken = ctx.get(unit.bus.awready)
            if drawing:
                names = {"awvalid": unit.bus.awvalid, "awready": unit.bus.awready, "bvalid": unit.bus.bvalid}
                names |= {
                    "i_valid": unit.i.valid,
                    "i_ready": unit.i.ready,
                    "o_valid": unit.o.valid,
                    "o_ready": unit.o.ready,
                }
                row = {name: ctx.get(signal) for name, signal in names.items()}
                status = unit.tables.pipeline
                row |= {"active": ctx.get(status.active), "draining": ctx.get(status.draining)}
                row["awaddr"] = ("CONTROL" if address == 4 * CONTROL else "SHADOW") if row["awvalid"] else None
                row["i_payload"] = f"c{codes}"
                row["o_payload"] = {1: "old", 2: "new"}.get(ctx.get(unit.o.payload)) if row["o_valid"] else None
                codes += row["i_ready"]
                rows.append(row)
            if asks and taken:
                answered = False
            if ctx.get(unit.bus.bvalid):
                answered, position = True, position + 1
            await ctx.tick()

    simulator = Simulator(top)
    simulator.add_clock(1e-6, domain="sync")
    simulator.add_testbench(bench)
    simulator.run()
    return rows


def lane(rows, name):
    """One signal: bits, or labels where they are known."""
    values = [row[name] for row in rows]
    bits = all(value in (0, 1) for value in values)
    wave, data, before = "", [], object()
    for value in values:
        if value == before:
            wave += "."
        elif bits:
            wave += str(value)
        else:
            wave += "x" if value is None else {"new": "4", "SHADOW": "5"}.get(value, "3")
            data += [value] if value else []
        before = value
    return {"name": name, "wave": wave} | ({"data": data} if data else {})


def wave():
    """The WaveJSON text."""
    rows = samples()
    lanes = lambda *names: [lane(rows, name) for name in names]
    signal = [
        {"name": "clk", "wave": "p" + "." * (CYCLES - 1)},
        ["bus", *lanes("awaddr", "awvalid", "awready", "bvalid")],
        ["STATUS", *lanes("active", "draining")],
        ["in", *lanes("i_payload", "i_valid", "i_ready")],
        ["out", *lanes("o_payload", "o_valid", "o_ready")],
    ]
    return json.dumps({"signal": signal}, indent=1) + "\n"


if __name__ == "__main__":
    text = wave()
    if "--write" in sys.argv[1:]:
        PATH.write_text(text, encoding="utf-8")
    print(text, end="")
