"""``component.xml``: the unit in IP-XACT (IEEE 1685-2014), for tools that connect blocks."""

import re
from xml.etree import ElementTree

from .. import __version__
from .header import LICENCE, notice, plain

__all__ = ["ipxact_text"]

SCHEMA = "http://www.accellera.org/XMLSchema/IPXACT/1685-2014"
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
#: Vendor, library, name and version of the buses: those that other people's tools know.
_CLOCK, _RESET = ("xilinx.com", "signal", "clock", "1.0"), ("xilinx.com", "signal", "reset", "1.0")
_AXIS = ("amba.com", "AMBA4", "AXI4Stream", "r0p0_1")
_AXIS_PORT = re.compile(r"([sm]_axis\w*?)_(t[a-z]+)")
_POLARITY = {"high": "ACTIVE_HIGH", "low": "ACTIVE_LOW"}


def ipxact_text(design, command, *, description, rows, roles, reset, paths, parameters):
    """The component in XML.

    Parameters
    ----------
    design : Design or SoftmaxDesign
    command : str
    description : str
        What the unit computes.
    rows : iterable of (str, str, int, str)
        Port, direction, bits and meaning.
    roles : dict of str to str
        Port by role; ``clk`` and ``rst`` become buses, ports named as those of AXI4-Stream too.
    reset : str
        Kind of reset, such as ``sync-high``.
    paths : dict of str to list of str
        Files by kind: those of kind ``verilog``, ``bench``, ``vectors`` and ``c_model`` are listed.
    parameters : dict of str to str
        Facts about the unit.

    Returns
    -------
    str
    """
    rows = list(rows)
    component = _Element("component", {f"{{{_INSTANCE}}}schemaLocation": f"{SCHEMA} {SCHEMA}/index.xsd"})
    for key, value in (("vendor", "hwact"), ("library", "units"), ("name", design.name), ("version", __version__)):
        component.add(key, value)
    _buses(component, [row[0] for row in rows], roles, reset)
    model = component.add("model")
    _views(model, design.name)
    ports = model.add("ports")
    for name, direction, bits, meaning in rows:
        _port(ports, name, direction, bits, meaning)
    _files(component.add("fileSets"), paths)
    component.add("description", "\n".join([plain(description), *notice(design, command)[1:]]))
    listed = component.add("parameters")
    for name, value in parameters.items():
        _parameter(listed, name, value)
    ElementTree.register_namespace("ipxact", SCHEMA)
    ElementTree.register_namespace("xsi", _INSTANCE)
    ElementTree.indent(component.element)
    text = ElementTree.tostring(component.element, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- SPDX-License-Identifier: {LICENCE} -->\n{text}\n'


class _Element:
    """An element of the schema's name space."""

    def __init__(self, name, attributes=None, parent=None):
        tag = f"{{{SCHEMA}}}{name}"
        self.element = (
            ElementTree.Element(tag, attributes or {})
            if parent is None
            else ElementTree.SubElement(parent, tag, attributes or {})
        )

    def add(self, name, text=None, /, **attributes):
        """A new element at the end of this one."""
        child = _Element(name, attributes, self.element)
        child.element.text = None if text is None else str(text)
        return child


def _buses(component, ports, roles, reset):
    """The interfaces that are buses: clock, reset, and AXI4-Stream by the names of its ports."""
    streams = {}
    for port in ports:
        match = _AXIS_PORT.fullmatch(port)
        if match:
            streams.setdefault(match[1], {})[match[2].upper()] = port
    if not (streams or "clk" in roles):
        return
    buses = component.add("busInterfaces")
    for name, logical in streams.items():
        _bus(buses, name, _AXIS, logical, "slave" if name.startswith("s") else "master", {})
    if "clk" in roles:
        facts = {"ASSOCIATED_BUSIF": ":".join(streams)} if streams else {}
        facts |= {"ASSOCIATED_RESET": roles["rst"]} if "rst" in roles else {}
        _bus(buses, f"clock_{roles['clk']}", _CLOCK, {"CLK": roles["clk"]}, "slave", facts)
    if "rst" in roles:
        facts = {"POLARITY": _POLARITY[reset.rpartition("-")[2]]}
        _bus(buses, f"reset_{roles['rst']}", _RESET, {"RST": roles["rst"]}, "slave", facts)


def _bus(buses, name, kind, logical, side, facts):
    bus, keys = buses.add("busInterface"), ("vendor", "library", "name", "version")
    vendor, library, own, version = kind
    bus.add("name", name)
    bus.add("busType", **dict(zip(keys, kind)))
    abstraction = bus.add("abstractionTypes").add("abstractionType")
    abstraction.add("abstractionRef", **dict(zip(keys, (vendor, library, f"{own}_rtl", version))))
    maps = abstraction.add("portMaps")
    for signal, port in logical.items():
        pair = maps.add("portMap")
        pair.add("logicalPort").add("name", signal)
        pair.add("physicalPort").add("name", port)
    bus.add(side)
    if facts:
        listed = bus.add("parameters")
        for key, value in facts.items():
            _parameter(listed, key, value)


def _views(model, name):
    views, instantiations = model.add("views"), model.add("instantiations")
    for view, module, sets in (("rtl", name, ["rtl"]), ("simulation", f"{name}_tb", ["rtl", "bench"])):
        one = views.add("view")
        one.add("name", view)
        one.add("envIdentifier", "verilogSource:*:")
        one.add("componentInstantiationRef", view)
        instantiation = instantiations.add("componentInstantiation")
        instantiation.add("name", view)
        instantiation.add("language", "Verilog")
        instantiation.add("moduleName", module)
        for each in sets:
            instantiation.add("fileSetRef").add("localName", each)


def _port(ports, name, direction, bits, meaning):
    port = ports.add("port")
    port.add("name", name)
    port.add("description", meaning)
    wire = port.add("wire")
    wire.add("direction", direction)
    if bits > 1:
        vector = wire.add("vectors").add("vector")
        vector.add("left", bits - 1)
        vector.add("right", 0)


def _files(sets, paths):
    kinds = {
        "rtl": [("verilog", "verilogSource")],
        "bench": [("bench", "verilogSource"), ("vectors", "user")],
        "software": [("c_model", "cSource")],
    }
    for name, files in kinds.items():
        one = sets.add("fileSet")
        one.add("name", name)
        for kind, type_ in files:
            for path in paths[kind]:
                file = one.add("file")
                file.add("name", path)
                if type_ == "user":
                    file.add("fileType", "user", user="hexadecimal vectors")
                else:
                    file.add("fileType", type_)


def _parameter(listed, name, value):
    parameter = listed.add("parameter", type="string")
    parameter.add("name", name)
    parameter.add("value", plain(value))
