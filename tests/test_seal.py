"""The certificate's file: sealed, about every other file, and true at every moment of a write."""

import json
import os
import shutil

import pytest

from hwact import SQ, Spec, emit
from hwact.errors import CheckError
from hwact.output import Unit
from hwact.verify import Certificate, Check

ALTERED = "^Certificate must be as it was written, not altered: 'square.cert.json'$"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of one small unit."""
    spec = Spec("x*x", input=SQ(2, 3), output=SQ(4, 2), name="square")
    unit = Unit(spec.design(), spec.command())
    unit.check_golden()
    folder = tmp_path_factory.mktemp("made") / "square"
    emit.write_folder(folder, unit.files())
    return folder


@pytest.fixture
def folder(made, tmp_path):
    """A copy of its own."""
    return shutil.copytree(made, tmp_path / "square")


def passed(level, check="circuit"):
    return Check(level, check, "y", "method", 32, tools=("Yosys 1",))


def test_certificate_names_every_other_file_with_its_digest(folder):
    """And the command, the design's digest, the domain and the level."""
    contents = emit.check_seal(folder)
    others = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert set(contents["files"]) == others - {"square.cert.json"}
    manifest, design = emit.read_manifest(folder)
    assert (contents["digest"], contents["command"]) == (design.digest, manifest["command"])
    assert (contents["domain"], contents["level"]) == ([-16, 15], "golden")
    assert manifest["certificate"] == {key: contents[key] for key in ("digest", "level", "checks")}


@pytest.mark.parametrize("key", ["hwact", "name", "command", "level", "checks", "digest", "domain", "files", "seal"])
def test_no_part_of_the_certificate_can_be_changed(folder, key):
    """The seal is about all of it."""
    path = folder / "square.cert.json"
    contents = json.loads(path.read_text())
    for change in (lambda value: None, lambda value: [value], lambda value: value * 2 if key != "files" else {}):
        path.write_text(json.dumps({**contents, key: change(contents[key])}))
        with pytest.raises(CheckError, match=ALTERED):
            emit.check_seal(folder)
    path.write_text(json.dumps(contents))
    assert emit.check_seal(folder)


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"{}", b"\xff", b"[" * 100000, b'{"seal": 1}'])
def test_certificate_that_is_none_is_refused(folder, data):
    """Whatever it is."""
    (folder / "square.cert.json").write_bytes(data)
    with pytest.raises(CheckError, match=ALTERED):
        emit.check_seal(folder)


def test_certificate_must_be_about_every_file(folder):
    """A forged one that leaves out the Verilog is refused."""
    contents, design = emit.read_manifest(folder)
    files = {path: (folder / path).read_bytes() for path in ("square.json", "square.md")}
    text = emit.sealed_text(design, contents["command"], contents["certificate"], files)
    (folder / "square.cert.json").write_text(text)
    with pytest.raises(CheckError, match="^Certificate must be about every file of the unit, not leave out square.v$"):
        Unit.read(folder)


def test_file_outside_the_folder_is_not_read(folder, tmp_path):
    """A path that leads away counts as missing, and so does a link that does."""
    (tmp_path / "secret").write_bytes(b"s")
    _, design = emit.read_manifest(folder)
    for path in ("../secret", str(tmp_path / "secret"), "link"):
        (folder / "link").unlink(missing_ok=True)
        (folder / "link").symlink_to(tmp_path / "secret")
        (folder / "square.cert.json").write_text(emit.sealed_text(design, "c", {}, {path: b"s"}))
        with pytest.raises(CheckError, match=f"^File {path} must be as it was certified, not missing: generate"):
            emit.check_seal(folder)


def test_two_certificates_are_refused(folder):
    """Nobody can say which one holds."""
    shutil.copy(folder / "square.cert.json", folder / "other.cert.json")
    with pytest.raises(CheckError, match=r"^Output folder must hold one certificate \(NAME.cert.json\), not 2"):
        emit.check_seal(folder)


@pytest.mark.parametrize("writes", [0, 1, 2, 3, 4])
def test_record_that_dies_after_any_write_leaves_a_certified_folder(folder, monkeypatch, writes):
    """As a kill would; doing it again completes it."""
    done = []

    def replace(source, destination):
        if len(done) == writes:
            raise KeyboardInterrupt
        done.append(destination)
        return rename(source, destination)

    rename = os.replace
    unit = Unit.read(folder)
    unit.certify([passed("rtl")])
    monkeypatch.setattr("hwact.emit.folder.os.replace", replace)
    if writes < 4:
        with pytest.raises(KeyboardInterrupt):
            unit.record(folder)
    else:
        unit.record(folder)
    monkeypatch.undo()
    assert Unit.read(folder).certificate.level == ("golden" if writes == 0 else "rtl")
    unit.record(folder)
    contents = json.loads((folder / "square.cert.json").read_text())
    assert contents["level"] == "rtl" and "pending" not in contents
    assert "Established up to the level **rtl**" in (folder / "square.md").read_text()


def test_record_keeps_what_another_process_certified(folder):
    """Two that verify the same folder do not undo one another."""
    one, two = Unit.read(folder), Unit.read(folder)
    one.certify([passed("rtl")])
    two.certify([passed("proof", "equivalence")])
    one.record(folder)
    two.record(folder)
    assert Unit.read(folder).certificate.level == "proof"


def test_record_refuses_a_file_that_was_altered_in_the_meantime(folder):
    """What was checked is no longer there."""
    unit = Unit.read(folder)
    unit.certify([passed("rtl")])
    (folder / "square.v").write_text("module square; endmodule\n")
    with pytest.raises(CheckError, match="^File square.v must be as it was certified, not altered"):
        unit.record(folder)


def test_record_refuses_a_unit_that_was_generated_anew_in_the_meantime(folder):
    """What was verified is certified, and nothing that came in its place, however well sealed."""
    unit = Unit.read(folder)
    unit.certify([passed("rtl")])
    spec = Spec("x*x", input=SQ(2, 3), output=SQ(4, 2), name="square", bound="2ulp")
    other = Unit(spec.design(), spec.command())
    emit.write_folder(folder, other.files())
    with pytest.raises(CheckError, match="^File square.v must stay as it was, not be generated anew during"):
        unit.record(folder)
    assert Unit.read(folder).design == other.design


def test_level_is_the_highest_with_all_below_it():
    """A proof without a simulation does not count as one; disowning takes the rungs above along."""
    ladder = [passed(level, level) for level in ("golden", "rtl", "proof", "netlist")]
    assert Certificate("d").level is None
    assert Certificate("d", (ladder[0], ladder[2])).level == "golden"
    certificate = Certificate("d").joined(ladder[::-1])
    assert [check.level for check in certificate.checks] == ["golden", "rtl", "proof", "netlist"]
    assert certificate.level == "netlist"
    assert certificate.below("proof").level == "rtl"
    assert certificate.below("golden").checks == ()
    assert Certificate.from_dict(certificate.to_dict(), "d") == certificate
    assert Certificate.from_dict(certificate.to_dict(), "other") == Certificate("other")


@pytest.mark.parametrize(
    "change", [{"result": "failed"}, {"codes": "8"}, {"tools": [1]}, {"level": 1}, {"surplus": 1}, {"tools": None}]
)
def test_check_that_is_none_empties_the_certificate(change):
    """Of a certificate that cannot be read nothing is kept."""
    plain = Certificate("d", (passed("rtl"),)).to_dict()
    plain["checks"][0] |= change
    assert Certificate.from_dict(plain, "d") == Certificate("d")
