"use strict";
// The datasheet of a point, and two points side by side.

// Fields in the order of reading; a row's other fields follow.
const GROUPS = [
  ["Asked for", ["function", "expression", "input", "output", "bound", "domain", "derivative", "derivative_output", "derivative_bound", "method",
    "segmentation", "fit", "multiplier", "interface", "requested_latency", "target", "place", "bram", "effort", "seed"]],
  ["Found", ["status", "reason", "chosen", "segments", "minimal_segments", "luts", "estimated_luts", "area", "gates", "carries", "muxes", "ffs", "dsps", "bram_bits", "fmax_mhz",
    "latency", "max_error_ulp", "max_error", "mean_error_ulp", "mse_ulp2", "derivative_max_error_ulp", "derivative_mean_error_ulp",
    "derivative_mse_ulp2"]],
  ["Made by", ["tool_versions", "seconds", "design_digest", "digest"]],
];
const NAMES = {
  function: "Function", expression: "Formula", input: "Input", output: "Output", bound: "Bound", domain: "Domain", derivative: "Derivative",
  derivative_output: "Output of the derivative", derivative_bound: "Bound of the derivative", method: "Method", segmentation: "Segmentation", fit: "Fit",
  multiplier: "Multiplier", interface: "Interface", requested_latency: "Latency asked for", target: "Target", place: "Placed", bram: "Block RAM allowed", muxes: "Multiplexers", effort: "Effort", seed: "Seed",
  status: "Status", reason: "Reason", chosen: "Structure", tool_versions: "Tools", design_digest: "Digest of the design", digest: "Digest of the point",
  command: "Command", structure: "Structure",
};
const HIDDEN = new Set(["command", "structure", "input_bits", "output_bits", "mean_error", "max_bound"]);

const label = (key) => NAMES[key] || AXIS[key]?.label || key.replaceAll("_", " ");
const titleOf = (row) => String(row.function);

function chipsOf(row, onFront) {
  const chips = [`${row.input} → ${row.output}`, row.bound, row.derivative && row.derivative !== "none" ? `derivative ${row.derivative}` : null, row.target];
  return el("p", { class: "chips" }, el("span", { class: `chip ${row.status}` }, row.status),
    onFront ? el("span", { class: "chip front" }, "★ on the front") : null, ...chips.filter(Boolean).map((text) => el("span", { class: "chip" }, text)));
}

function tilesOf(row) {
  const luts = row.luts == null && row.estimated_luts != null ? ["LUTs, estimated", row.estimated_luts] : ["LUTs", row.luts];
  const tiles = [[...luts, ""], ["Largest error", row.max_error_ulp, "ulp"], ["Clock", row.fmax_mhz, "MHz"],
    ["Latency", row.latency, row.latency === 1 ? "cycle" : "cycles"], ["Segments", row.segments, ""]];
  const shown = tiles.filter(([, value]) => value != null);
  return shown.length ? el("dl", { class: "tiles" }, ...shown.map(([name, value, unit]) =>
    el("div", { class: "tile" }, el("dt", {}, name), el("dd", {}, number(value), unit ? el("small", {}, ` ${unit}`) : null)))) : null;
}

function commandOf(row) {
  if (!row.command) return null;
  const text = el("pre", { tabindex: 0, "aria-label": "Command that makes this unit again" }, row.command);
  const button = el("button", { type: "button", onclick: () => copied(row.command, text, button) }, "Copy");
  return el("div", { class: "command" }, text, button);
}

async function copied(text, element, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Pages from a file may not use the clipboard; the selection may be copied everywhere.
    getSelection().selectAllChildren(element);
    document.execCommand("copy");
  }
  button.textContent = "Copied";
  announce("The command is copied");
  setTimeout(() => { button.textContent = "Copy"; }, 1600);
}

function factsOf(row) {
  const known = new Set(GROUPS.flatMap(([, keys]) => keys));
  const others = Object.keys(row).filter((key) => !known.has(key) && !HIDDEN.has(key));
  const groups = [...GROUPS, ...(others.length ? [["More", others]] : [])];
  return groups.flatMap(([title, keys]) => {
    const facts = keys.filter((key) => row[key] != null && row[key] !== "").flatMap((key) => [el("dt", {}, label(key)), el("dd", {}, show(row[key]))]);
    return facts.length ? [el("h3", {}, title), el("dl", { class: "facts" }, ...facts)] : [];
  });
}

// Draws the datasheet of a row into an element; curve is a promise of its curves or null.
async function drawSheet(element, row, onFront, curve, actions) {
  if (!row) {
    element.replaceChildren(el("p", { class: "empty" }, "Choose a point of the plot or of the table."));
    return;
  }
  const plot = el("div", { class: "plot", "data-plot": "sheet" });
  const buttons = ["A", "B"].map((name) => el("button", { type: "button", "aria-pressed": String(actions.isPair(name, row)), onclick: () => actions.pair(name, row) },
    `Compare as ${name}`));
  const parts = [el("p", { class: "title" }, titleOf(row)), chipsOf(row, onFront), tilesOf(row), row.reason ? el("p", { class: "reason" }, row.reason) : null,
    commandOf(row), el("div", { class: "actions" }, ...buttons), plot, ...factsOf(row)];
  keepingFocus(element, () => element.replaceChildren(...parts.filter(Boolean)));
  const drawn = await curve;
  if (!plot.isConnected) return;
  if (!drawn) {
    plot.replaceWith(el("p", { class: "muted small" }, row.status === "done" ? "No curves were kept for this point." : "There is no unit to draw curves of."));
    return;
  }
  draw(plot, () => datasheetFigure(drawn), "The function with the unit's segments, its derivative, and the error between its bounds");
}

function comparedRows(a, b, onlyDifferences) {
  const keys = [...GROUPS.flatMap(([, keys]) => keys), "command"].filter((key) => [a, b].some((row) => row[key] != null && row[key] !== ""));
  return keys.flatMap((key) => {
    const texts = [a, b].map((row) => show(row[key])), differs = texts[0] !== texts[1], axis = AXIS[key];
    if (onlyDifferences && !differs) return [];
    const wins = (mine, its) => differs && axis && mine[key] != null && its[key] != null && better(axis, mine[key], its[key]);
    return [el("tr", { class: differs ? "differs" : "" }, el("th", { scope: "row" }, label(key), differs ? el("span", { class: "hidden" }, " (differs)") : null),
      ...[[a, b], [b, a]].map(([mine, its], k) => {
        const mark = wins(mine, its) ? { class: "better", title: "the better one" } : {};
        return el("td", {}, el("span", mark, texts[k]));
      }))];
  });
}

async function drawComparison(element, a, b, curves, onlyDifferences) {
  const plot = el("div", { class: "plot", "data-plot": "comparison" });
  const rows = comparedRows(a, b, onlyDifferences);
  const heads = [["A", a], ["B", b]].map(([name, row]) => el("th", { scope: "col" }, `${name}: ${shortened(titleOf(row), 60)}`));
  const table = el("table", { class: "compared" }, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, el("span", { class: "hidden" }, "Field")), ...heads)),
    el("tbody", {}, ...rows));
  element.replaceChildren(rows.length ? el("div", { class: "scroll" }, table) : el("p", { class: "empty" }, "A and B are the same point."), plot);
  const drawn = await Promise.all(curves);
  const points = ["A", "B"].map((name, k) => ({ name, curve: drawn[k] })).filter(({ curve }) => curve);
  if (!plot.isConnected || !points.length) return;
  draw(plot, () => errorsFigure(points), "The errors of A and B");
}
