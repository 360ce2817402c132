"use strict";
// What ties the page together: the data, the choices made, and who draws what when they change.

const COLLATOR = new Intl.Collator("en", { numeric: true });
const byId = (id) => document.getElementById(id);

// An element; texts become text nodes, so nothing that users wrote is ever read as HTML.
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value == null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

// Changes the contents of an element and gives the focus back to the button or the row that had it.
function keepingFocus(element, change) {
  const nameOf = (node) => node.dataset.digest ?? node.getAttribute("aria-label") ?? node.textContent;
  const held = element.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  change();
  if (held === null || element.contains(document.activeElement)) return;
  [...element.querySelectorAll("button, tr[tabindex]")].find((node) => nameOf(node) === held)?.focus({ preventScroll: true });
}

const count = (value) => value.toLocaleString("en");

function number(value) {
  if (value == null) return "–";
  if (Number.isInteger(value)) return count(value);
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return value.toExponential(2).replace("e-", "e−");
  // An error of 0.99999 ulp is below 1 and is not shown as 1.
  const rounded = Number(value.toPrecision(4));
  return String(Number.isInteger(rounded) && size < 1000 ? Math.trunc(value * 1e4) / 1e4 : rounded);
}

function show(value) {
  if (value == null || value === "") return "–";
  if (typeof value === "number") return number(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "object") return Object.entries(value).map(([name, text]) => `${name} ${show(text)}`).join(", ");
  return String(value);
}

const announce = (text) => { byId("announcement").textContent = text; };

const DATA = JSON.parse(byId("data").textContent);
const AXIS = Object.fromEntries(DATA.axes.map((axis) => [axis.key, axis]));
const ROWS = DATA.rows;
const BY_DIGEST = new Map(ROWS.map((row) => [row.digest, row]));

for (const row of ROWS) {
  row.structure = row.chosen || [row.method, row.segmentation].filter((text) => text && text !== "auto").join(", ");
  Object.defineProperty(row, "words", { value: Object.values(row).map(show).join(" ").toLowerCase(), enumerable: false });
}

const varies = (key) => new Set(ROWS.map((row) => show(row[key]))).size > 1;
const has = (key) => ROWS.some((row) => row[key] != null);

// Curves are kept deflated; each is unpacked when it is first looked at.
const unpacked = new Map();
function curveOf(row) {
  const packed = DATA.curves[row?.design_digest];
  if (!packed) return Promise.resolve(null);
  if (!unpacked.has(packed)) {
    const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    unpacked.set(packed, new Response(stream).json());
  }
  return unpacked.get(packed);
}

// -- plots, which are drawn again when the theme or the size changes ---------------------------

const plots = new Map();
function draw(element, figure, description) {
  plots.set(element, figure);
  for (const known of plots.keys()) if (!known.isConnected) { Plotly.purge(known); plots.delete(known); }
  const { data, layout } = figure();
  if (description) element.setAttribute("aria-label", description), element.setAttribute("role", element.getAttribute("role") || "img");
  return Plotly.react(element, data, layout, config());
}

let listening = false;
function drawScatter(figure) {
  draw(byId("scatter"), figure);
  if (listening) return;
  listening = true;
  byId("scatter").on("plotly_click", ({ points: [point] }) => {
    const row = BY_DIGEST.get(point.customdata);
    if (row) choose(row, { scroll: true });
  });
}

function redraw() {
  for (const [element, figure] of [...plots]) if (element.isConnected) draw(element, figure);
}

// -- what is chosen ----------------------------------------------------------------------------

const state = { chosen: null, pair: { A: null, B: null }, shown: ROWS, groups: [], fronts: [], front: new Set() };

function choose(row, { scroll = false } = {}) {
  state.chosen = row;
  history.replaceState(null, "", row ? `#${row.digest}` : "#");
  table.reveal(row);
  rechoose();
  if (row) announce(`Chosen: ${titleOf(row)}, ${row.input} to ${row.output}, ${row.status}`);
  if (scroll && narrow()) byId("panel").scrollIntoView({ block: "start" });
}

function pair(name, row) {
  state.pair[name] = state.pair[name] === row ? null : row;
  const both = state.pair.A && state.pair.B;
  announce(both ? "A and B are compared below the plot" : `${name} is ${state.pair[name] ? "set; now choose the other" : "free"}`);
  rechoose();
  if (both) byId("comparison").scrollIntoView({ block: "nearest" });
}

const isPair = (name, row) => state.pair[name] === row;

function marksOf(row) {
  return [state.front.has(row) ? "★" : "", ...["A", "B"].filter((name) => isPair(name, row))].join(" ").trim();
}

// -- what is shown -----------------------------------------------------------------------------

const filtered = () => {
  const wanted = Object.fromEntries(["function", "target", "status"].map((key) => [key, byId(`filter-${key}`).value]));
  const words = byId("filter-text").value.toLowerCase().split(/\s+/).filter(Boolean);
  return ROWS.filter((row) => Object.entries(wanted).every(([key, value]) => !value || show(row[key]) === value) && words.every((word) => row.words.includes(word)));
};

function partsOf(rows, keys) {
  const parts = new Map();
  for (const row of rows) {
    const name = keys.map((key) => show(row[key])).join(", ");
    if (!parts.has(name)) parts.set(name, []);
    parts.get(name).push(row);
  }
  return parts;
}

// One group a colour, in an order that no filter changes.
function grouped(rows) {
  const key = byId("colour").value, parts = partsOf(rows, key ? [key] : []);
  const names = key ? [...new Set(ROWS.map((row) => show(row[key])))].sort(COLLATOR.compare) : [""];
  return names.map((name) => ({ name: name || "points", rows: parts.get(name) ?? [] }));
}

function frontsOf(groups, x, y) {
  const rows = groups.flatMap((group) => group.rows);
  const parts = {
    kind: () => [...partsOf(rows, DATA.kind).values()], colour: () => groups.map((group) => group.rows), all: () => [rows], none: () => [],
  }[byId("front").value]();
  return parts.map((part) => frontOf(part, x, y));
}

const axesNow = () => ["x", "y"].map((way) => AXIS[byId(`axis-${way}`).value]);

const logNow = () => ({ x: byId("log-x").checked, y: byId("log-y").checked });

function chosenNow() {
  return [[state.chosen, ""], ...Object.entries(state.pair).map(([name, row]) => [row, name])].filter(([row]) => row).map(([row, name]) => ({ row, name }));
}

// Finds what filters, axes and colours leave.
function select() {
  const [x, y] = axesNow(), rows = filtered(), groups = grouped(rows.filter((row) => row[x.key] != null && row[y.key] != null));
  state.fronts = frontsOf(groups, x, y);
  state.front = new Set(state.fronts.flat());
  state.shown = byId("filter-front").checked ? rows.filter((row) => state.front.has(row)) : rows;
  const kept = new Set(state.shown);
  state.groups = groups.map((group) => ({ ...group, rows: group.rows.filter((row) => kept.has(row)) }));
  byId("shown").textContent = `${count(state.shown.length)} of ${count(ROWS.length)} points`;
}

function drawPoints() {
  const drawn = state.groups.some((group) => group.rows.length);
  byId("scatter").hidden = !drawn;
  byId("scatter-help").textContent = drawn ? HELP : ROWS.length ? "No point that is shown has both of these numbers." : "This exploration has no points.";
  if (drawn) drawScatter(() => scatterFigure(state.groups, state.fronts, chosenNow(), ...axesNow(), logNow()));
}

function drawChosen() {
  table.show(state.shown, marksOf, state.chosen);
  drawSheet(byId("sheet"), state.chosen, state.front.has(state.chosen), curveOf(state.chosen), { pair, isPair });
  const { A, B } = state.pair;
  byId("comparison").hidden = !(A && B);
  if (A && B) drawComparison(byId("compared"), A, B, [curveOf(A), curveOf(B)], byId("differences").checked);
}

// After a change of filters, axes or colours.
function refresh() {
  select();
  drawPoints();
  drawChosen();
}

// After a change of the points that are chosen.
function rechoose() {
  if (!byId("scatter").hidden) Plotly.relayout(byId("scatter"), rings(chosenNow(), ...axesNow(), logNow()));
  drawChosen();
}

// -- the controls ------------------------------------------------------------------------------

const HELP = byId("scatter-help").textContent;
const SPEC_COLUMNS = ["function", "input", "output", "bound", "domain", "derivative", "derivative_output", "derivative_bound", "method", "segmentation",
  "fit", "multiplier", "interface", "requested_latency", "target", "effort", "seed"];
const RESULT_COLUMNS = ["luts", "estimated_luts", "max_error_ulp", "derivative_max_error_ulp", "fmax_mhz", "latency", "segments", "area", "gates", "carries", "ffs", "dsps", "bram_bits"];
const SHORT = { luts: "LUTs", estimated_luts: "LUTs est.", max_error_ulp: "Error (ulp)", derivative_max_error_ulp: "dy error (ulp)", fmax_mhz: "MHz", latency: "Cycles",
  derivative_output: "dy output", derivative_bound: "dy bound", requested_latency: "Asked cycles" };

function columns() {
  const spec = SPEC_COLUMNS.filter((key) => key === "function" || varies(key));
  const results = RESULT_COLUMNS.filter((key) => has(key) && ROWS.some((row) => row[key]));
  const column = (key, number) => ({ key, label: SHORT[key] || label(key), number });
  return [...spec.map((key) => column(key, false)), ...results.map((key) => column(key, true)), column("status", false)];
}

function fill(select, options, value) {
  select.replaceChildren(...options.map(([key, text]) => el("option", { value: key }, shortened(text, 60))));
  select.value = value ?? options[0]?.[0] ?? "";
}

function setUp() {
  for (const key of ["function", "target", "status"]) {
    const values = [...new Set(ROWS.map((row) => show(row[key])))].sort(COLLATOR.compare);
    fill(byId(`filter-${key}`), [["", "all"], ...values.map((text) => [text, text])]);
    byId(`filter-${key}`).closest("label").hidden = values.length < 2;
  }
  const axes = DATA.axes.filter((axis) => has(axis.key) || [DATA.x, DATA.y].includes(axis.key)).map((axis) => [axis.key, axis.label]);
  for (const way of ["x", "y"]) {
    fill(byId(`axis-${way}`), axes, DATA[way]);
    byId(`log-${way}`).checked = AXIS[DATA[way]].log;
    byId(`axis-${way}`).addEventListener("change", () => { byId(`log-${way}`).checked = axesNow()[way === "x" ? 0 : 1].log; });
  }
  const colours = [...SPEC_COLUMNS, "status"].filter(varies);
  fill(byId("colour"), [["", "one colour"], ...colours.map((key) => [key, label(key)])], colours[0] ?? "");
  for (const id of ["axis-x", "axis-y", "log-x", "log-y", "colour", "front", "filter-function", "filter-target", "filter-status", "filter-front"]) {
    byId(id).addEventListener("change", () => { table.page = table.focus = 0; refresh(); });
  }
  let waiting;
  byId("filter-text").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => { table.page = table.focus = 0; refresh(); }, 120); });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("filter-clear").addEventListener("click", () => { byId("filters").reset(); refresh(); });
  byId("differences").addEventListener("change", () => rechoose());
  byId("comparison-close").addEventListener("click", () => { state.pair = { A: null, B: null }; rechoose(); byId("panel").focus(); });
  byId("scatter").addEventListener("keydown", walk);
}

// From point to point by the keyboard, in the order of x.
function walk(event) {
  const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
  if (!(event.key in steps) || event.target !== byId("scatter")) return;
  event.preventDefault();
  const [x, y] = axesNow();
  const order = state.groups.flatMap((group) => group.rows).sort((a, b) => a[x.key] - b[x.key] || a[y.key] - b[y.key]);
  if (!order.length) return;
  const at = order.indexOf(state.chosen);
  choose(order[Math.max(0, Math.min(order.length - 1, at < 0 ? 0 : at + steps[event.key]))]);
}

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  byId("theme").textContent = name === "dark" ? "☀ Light" : "☾ Dark";
  byId("theme").setAttribute("aria-label", name === "dark" ? "Change to the light theme" : "Change to the dark theme");
}

function summary() {
  const states = Object.entries(ROWS.reduce((sum, row) => ({ ...sum, [row.status]: (sum[row.status] || 0) + 1 }), {}));
  const parts = states.sort().map(([name, amount]) => `${count(amount)} ${name}`);
  byId("summary").textContent = ROWS.length ? `${count(ROWS.length)} ${ROWS.length === 1 ? "point" : "points"}: ${parts.join(", ")}` : "No points yet";
  const same = SPEC_COLUMNS.filter((key) => key !== "function" && ROWS.length > 1 && !varies(key) && has(key) && !["none", "auto"].includes(ROWS[0][key]));
  byId("alike").textContent = same.length ? `All points: ${same.map((key) => `${label(key).toLowerCase()} ${show(ROWS[0][key])}`).join(", ")}.` : "";
}

const dark = window.matchMedia("(prefers-color-scheme: dark)");
setTheme(dark.matches ? "dark" : "light");
dark.addEventListener("change", () => { setTheme(dark.matches ? "dark" : "light"); redraw(); });
window.matchMedia("(max-width: 620px)").addEventListener("change", redraw);
byId("theme").addEventListener("click", () => { setTheme(theme() === "dark" ? "light" : "dark"); redraw(); });

const table = new PointTable(byId("table"), byId("pages"), columns(), { choose, pair });
setUp();
summary();
byId("main").hidden = false;
select();
// The middle of the front is a point worth a look.
state.chosen = BY_DIGEST.get(location.hash.slice(1)) ?? [...state.front][Math.floor(state.front.size / 2)] ?? ROWS[0] ?? null;
drawPoints();
drawChosen();
document.documentElement.dataset.ready = "true";
