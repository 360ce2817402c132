"""From designs to a board's bitstream, with utilisation and timing; results are kept on disk."""

import contextlib
import hashlib
import json
import os
import re
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from .. import __version__
from ..emit.folder import locked, replace_file, undisturbed
from ..errors import CheckError, RequestError, ToolError
from ..synth.tools import cache_folder, product
from .demos import demo_of
from .steps import EXTRA, LOG, NAME, OVERRIDES, REPORT, fmax_of, report_of, steps_of, versions
from .top import Top

__all__ = ["MANIFEST", "Build", "Cell", "Plan", "build", "plan_build", "read_build", "write_build"]

#: The file of a build's folder that says what is in it.
MANIFEST = "board.json"
#: Endings of a bitstream and of the pin constraints, by family.
BITSTREAM = {"ice40": ".bin", "ecp5": ".bit", "gowin": ".fs"}
CONSTRAINTS = {"ice40": ".pcf", "ecp5": ".lpf", "gowin": ".cst"}
_FULL = re.compile(r"no BELs remaining|[Uu]nable to find a placement|[Uu]nable to place|[Ff]ailed to (?:place|expand)")


@dataclass(frozen=True)
class Cell:
    """A kind of cell of a device: its name, how many are used, and how many there are."""

    name: str
    used: int
    available: int

    @property
    def percent(self):
        """Share that is used."""
        return 100 * self.used / self.available


@dataclass(frozen=True)
class Plan:
    """What a build will run.

    Parameters
    ----------
    board : Board
    demo : str
        Name of the demonstration.
    designs : tuple
    seed : int
    steps : tuple of Step
    sources : dict of str to str
        Files that the steps start from.
    """

    board: object
    demo: str
    designs: tuple
    seed: int
    steps: tuple
    sources: dict

    @property
    def bitstream(self):
        """Name of the file that goes into the device."""
        return NAME + BITSTREAM[self.board.family]

    @property
    def constraints(self):
        """Name of the file of pins and clocks."""
        return NAME + CONSTRAINTS[self.board.family]

    def to_dict(self):
        """Plain numbers and strings, ready for JSON."""
        return {
            "board": self.board.name,
            "device": self.board.device,
            "demo": self.demo,
            "units": [{"name": design.name, "digest": design.digest} for design in self.designs],
            "seed": self.seed,
            "clock_mhz": self.board.clock_hz / 1e6,
            "steps": [str(step) for step in self.steps],
            "files": [self.bitstream, self.constraints, REPORT, LOG, MANIFEST],
        }


@dataclass(frozen=True)
class Build:
    """A bitstream, and what place and route says of it.

    Parameters
    ----------
    plan : Plan
    cells : tuple of Cell
    fmax_mhz : float
        Maximum frequency of the board's clock.
    files : dict of str to bytes
        Bitstream, constraints, report and log, by name.
    tool_versions : dict of str
    """

    plan: Plan
    cells: tuple
    fmax_mhz: float
    files: dict
    tool_versions: dict

    @property
    def clock_mhz(self):
        """Frequency of the board's clock."""
        return self.plan.board.clock_hz / 1e6

    @property
    def slack_ns(self):
        """Time left of the clock's period; negative where timing is not met."""
        return round(1000 / self.clock_mhz - 1000 / self.fmax_mhz, 2)

    @property
    def margin_percent(self):
        """How far the maximum frequency lies above the board's clock."""
        return round(100 * (self.fmax_mhz / self.clock_mhz - 1), 1)

    @property
    def timing_met(self):
        """Whether the circuit runs at the board's clock."""
        return self.fmax_mhz >= self.clock_mhz

    def check_timing(self):
        """Raise CheckError unless the circuit runs at the board's clock."""
        if not self.timing_met:
            raise CheckError(
                f"Clock of {self.plan.board.title} must be reached, {self.clock_mhz:g} MHz, not {self.fmax_mhz:g} MHz: "
                "try another --seed, or units of a larger --latency"
            )

    def to_dict(self):
        """Plain numbers and strings, ready for JSON."""
        plan = self.plan.to_dict()
        files = plan.pop("files")
        return {
            "hwact": __version__,
            **plan,
            "fmax_mhz": self.fmax_mhz,
            "slack_ns": self.slack_ns,
            "margin_percent": self.margin_percent,
            "timing_met": self.timing_met,
            "cells": {cell.name: {"used": cell.used, "available": cell.available} for cell in self.cells},
            "bitstream": self.plan.bitstream,
            "constraints": self.plan.constraints,
            "sha256": hashlib.sha256(self.files[self.plan.bitstream]).hexdigest(),
            "tool_versions": self.tool_versions,
            "files": files,
        }


def plan_build(board, designs, *, demo="activation", seed=1):
    """What building a demonstration takes; nothing is run.

    Parameters
    ----------
    board : Board
    designs : iterable of Design
    demo : str
    seed : int
        Seed of the placement.

    Returns
    -------
    Plan

    Raises
    ------
    RequestError
        If there is no such demonstration, or a design is not for it.
    """
    designs = tuple(designs)
    top = Top(board, demo_of(demo, board, designs))
    platform = board.create()
    for name, text in EXTRA.get(board.family, {}).items():
        platform.add_file(name, text)
    amaranth = platform.prepare(top, NAME, emit_src=False, **OVERRIDES.get(board.family, {}))
    steps = steps_of(amaranth, board.family, seed, board.clock_hz)
    scripts = (amaranth.script, f"{NAME}.debug.")
    sources = {name: text for name, text in amaranth.files.items() if not name.startswith(scripts)}
    return Plan(board, demo, designs, seed, steps, sources)


def build(plan, advance=lambda: None):
    """Run a plan's steps, unless their result is kept on disk.

    Parameters
    ----------
    plan : Plan
    advance : callable
        Called after each of ``plan.steps``.

    Returns
    -------
    Build
        One that misses the board's clock is a build too (see `Build.check_timing`).

    Raises
    ------
    RequestError
        If the demonstration does not fit the device.
    ToolError
        If a tool is missing, fails, or runs out of time.
    """
    found = versions()
    key = json.dumps([plan.sources, [str(step) for step in plan.steps], found], sort_keys=True)
    kept = cache_folder() / "boards" / f"{hashlib.sha256(key.encode()).hexdigest()}.zip"
    with tempfile.TemporaryDirectory(prefix="hwact-") as folder:
        if not _unpacked(kept, folder):
            _run(plan, folder, advance)
            _keep(kept, folder, (plan.bitstream, REPORT, LOG))
        for name, text in plan.sources.items():
            Path(folder, name).write_text(text, encoding="utf-8")
        names = (plan.bitstream, plan.constraints, REPORT, LOG)
        files = {name: product(folder, name, str(plan.steps[-1].tool)) for name in names}
        return Build(plan, _cells(plan.board, folder), fmax_of(folder, plan.board.family), files, found)


def _run(plan, folder, advance):
    for name, text in plan.sources.items():
        Path(folder, name).write_text(text, encoding="utf-8")
    for step in plan.steps:
        try:
            step.run(folder)
        except ToolError as error:
            reason = re.sub(r"cell '[^']*'", "a cell", str(error).rpartition("not fail: ")[2])
            if step.places and _FULL.search(reason):
                raise _too_large(plan.board, reason) from None
            raise
        if step.places:
            _cells(plan.board, folder)
        advance()


def _too_large(board, reason):
    return RequestError(f"Demonstration must fit the {board.device} of {board.title}, not need more: {reason}")


def _cells(board, folder):
    """Cells of the device, in the report's order; those that the data sheet grants, where it grants fewer."""
    cells = tuple(
        Cell(name, count["used"], min(count["available"], board.limits.get(name, count["available"])))
        for name, count in report_of(folder)["utilization"].items()
        if count["available"]
    )
    for cell in cells:
        if cell.used > cell.available:
            raise _too_large(board, f"{cell.used} of {cell.available} {cell.name}")
    return cells


# -- results on disk ---------------------------------------------------------------------------


def _unpacked(archive, folder):
    """Unpack an earlier result into `folder`; False where there is no sound one."""
    try:
        with zipfile.ZipFile(archive) as file:
            file.extractall(folder)
    except (OSError, ValueError, zipfile.BadZipFile):
        return False
    return True


def _keep(archive, folder, names):
    """Pack files of `folder`, whole or not at all; a cache that cannot be written keeps nothing."""
    with contextlib.suppress(OSError):
        archive.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=archive.parent, delete=False) as new:
            try:
                with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as file:
                    for name in names:
                        file.write(Path(folder, name), name)
                new.close()
                os.replace(new.name, archive)
            except BaseException:
                os.unlink(new.name)
                raise


# -- the folder --------------------------------------------------------------------------------


def write_build(path, built):
    """Write a build's files into a folder: a new one, an empty one, or an earlier build's.

    The manifest is written first: whenever the process is killed, a second run may go on, and the bitstream's digest
    in the manifest tells a mixture of old and new files.

    Raises
    ------
    RequestError
        If the folder holds something else, or cannot be written.
    """
    folder = Path(path)
    check_build_folder(folder)
    manifest = {**built.to_dict(), "designs": [design.to_dict() for design in built.plan.designs]}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with undisturbed(), locked(folder):
            for name, data in {MANIFEST: (json.dumps(manifest, indent=2) + "\n").encode(), **built.files}.items():
                replace_file(folder / name, data)
    except OSError as error:
        raise RequestError(f"Output folder must be writable, not {str(path)!r}: {error.strerror}") from None


def check_build_folder(path):
    """Refuse a folder that `write_build` would refuse, before any work is done."""
    folder = Path(path)
    if folder.is_dir():
        if any(folder.iterdir()) and not (folder / MANIFEST).is_file():
            raise RequestError(f"Output folder must be new, empty or an earlier build, not {str(path)!r}")
    elif os.path.lexists(folder):
        raise RequestError(f"Output folder must be a folder, not {str(path)!r}")


def read_build(path):
    """The manifest of a build's folder (dict), its bitstream unaltered.

    Raises
    ------
    RequestError
        If the folder holds no build.
    CheckError
        If the bitstream is not the one that was built.
    """
    folder = Path(path)
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        data, digest = (folder / manifest["bitstream"]).read_bytes(), manifest["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        raise RequestError(f"Folder must hold a build of hwact board build, not {str(path)!r}") from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise CheckError(f"Bitstream must be the one that was built, not altered: {str(folder / manifest['bitstream'])!r}")
    return manifest
