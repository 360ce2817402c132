"use strict";
// Figures for Plotly: functions of rows, curves and the theme's colours; nothing is drawn by hand.

const PALETTE = {
  light: ["#0a5cc2", "#d95f02", "#0f7b53", "#b3409a", "#7a4fc4", "#a06a00", "#0b7f94", "#5d6470"],
  dark: ["#75b5ff", "#ffa25c", "#5fdba6", "#f29bd4", "#bea2ff", "#e6c356", "#62d5e8", "#c0c7d1"],
};
const DASHES = ["solid", "dash", "dot", "dashdot"];
const SYMBOLS = ["circle", "diamond", "square", "triangle-up", "cross", "pentagon", "star-diamond", "hexagram"];
// Its own list of buttons: Plotly's would send data to a server.
const BUTTONS = [["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d", "toImage"]];
const config = () => ({ displaylogo: false, responsive: true, displayModeBar: narrow() ? false : "hover", modeBarButtons: BUTTONS });
// Errors that are many times smaller than their bound are shown without it.
const FAR_BOUND = 20;

const narrow = () => window.matchMedia("(max-width: 620px)").matches;
const theme = () => document.documentElement.dataset.theme;
const tone = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// Plotly reads a few tags in texts; what users wrote is shown as it stands.
const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const shortened = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

function layout(extra) {
  const axis = { gridcolor: tone("grid"), zerolinecolor: tone("line"), linecolor: tone("line"), automargin: true, tickfont: { size: 12 } };
  const { xaxis, yaxis, ...rest } = extra;
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif", size: 13, color: tone("ink") },
    margin: { l: 48, r: 12, t: 28, b: 44 },
    hoverlabel: { align: "left", bgcolor: tone("card"), bordercolor: tone("muted"), font: { color: tone("ink"), size: 12.5 } },
    legend: { orientation: "h", x: 0, y: 1, xanchor: "left", yanchor: "bottom", font: { size: 12 } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: tone("muted"), activecolor: tone("accent") },
    dragmode: narrow() ? false : "zoom",
    xaxis: { ...axis, ...xaxis }, yaxis: { ...axis, ...yaxis }, ...rest,
  };
}

const better = (axis, a, b) => (axis.best === "max" ? a > b : a < b);
const ordered = (axis, a, b) => (axis.best === "max" ? b[axis.key] - a[axis.key] : a[axis.key] - b[axis.key]);

// The rows that no other row beats in one axis without being worse in the other, from the best in x on.
// Estimated rows count where none is done.
function frontOf(rows, x, y) {
  const both = rows.filter((row) => row[x.key] != null && row[y.key] != null), done = both.filter((row) => row.status === "done");
  const order = (done.length ? done : both.filter((row) => row.status === "estimated")).sort((a, b) => ordered(x, a, b) || ordered(y, a, b));
  const front = [];
  for (const row of order) {
    const last = front.at(-1);
    const same = last && row[x.key] === last[x.key] && row[y.key] === last[y.key];
    if (!last || same || better(y, row[y.key], last[y.key])) front.push(row);
  }
  return front;
}

function hoverText(row, x, y) {
  const lines = [
    `<b>${plain(shortened(row.function, 60))}</b>`,
    plain(`${row.input} to ${row.output}, ${row.bound}`),
    plain([row.structure, row.target].filter(Boolean).join(", ")),
    `${x.label}: <b>${number(row[x.key])}</b>`, `${y.label}: <b>${number(row[y.key])}</b>`,
  ];
  if (row.derivative !== "none" && row.derivative) lines.splice(2, 0, plain(`derivative ${row.derivative}`));
  if (row.status !== "done") lines.push(plain(`(${row.status})`));
  return lines.join("<br>");
}

// A circle in pixels as a path, since Plotly takes no negative ends of a circle on a logarithmic axis.
const RING = "M-10,0C-10,5.52 -5.52,10 0,10C5.52,10 10,5.52 10,0C10,-5.52 5.52,-10 0,-10C-5.52,-10 -10,-5.52 -10,0Z";

// What marks the chosen points: a part of the layout, so that no point is drawn again when it changes.
function rings(chosen, x, y, log) {
  const seen = chosen.filter(({ row }) => [[x, log.x], [y, log.y]].every(([axis, log]) => row[axis.key] != null && !(log && row[axis.key] <= 0)));
  const place = (value, log) => (log ? Math.log10(value) : value);
  return {
    shapes: seen.map(({ row }) => ({
      type: "path", path: RING, xref: "x", yref: "y", xsizemode: "pixel", ysizemode: "pixel", xanchor: row[x.key], yanchor: row[y.key],
      line: { color: tone("chosen"), width: 2.5 },
    })),
    annotations: seen.filter(({ name }) => name).map(({ row, name }) => ({
      x: place(row[x.key], log.x), y: place(row[y.key], log.y), yshift: 20, xshift: name === "A" ? -7 : 7, text: `<b>${name}</b>`, showarrow: false,
      font: { size: 14, color: tone("ink") },
    })),
  };
}

// Labels of a logarithmic axis: all digits of less than a decade, 1, 2 and 5 of a few, powers of ten of many.
function logStep(data, way) {
  const values = data.flatMap((trace) => trace[way]).filter((value) => value > 0);
  const decades = Math.log10(Math.max(...values) / Math.min(...values));
  return decades < 0.8 ? "D1" : decades < 3.2 ? "D2" : 1;
}

// groups: [{name, rows}], one a colour; fronts: [[row]]; chosen: [{row, name}]
function scatterFigure(groups, fronts, chosen, x, y, log) {
  const colours = PALETTE[theme()], data = [], best = new Set(fronts.flat()), used = new Map();
  const groupOf = new Map(groups.flatMap((group, k) => group.rows.map((row) => [row, k])));
  for (const front of fronts.filter((rows) => rows.length > 1)) {
    const own = new Set(front.map((row) => groupOf.get(row))), k = own.size === 1 ? [...own][0] : null, number = used.get(k) ?? 0;
    used.set(k, number + 1);
    // A staircase: what lies on its far side is beaten. Fronts of one colour differ in their dashes.
    data.push({
      x: front.map((row) => row[x.key]), y: front.map((row) => row[y.key]), mode: "lines", type: "scatter", hoverinfo: "skip", showlegend: false,
      line: { color: k == null ? tone("muted") : colours[k % colours.length], width: 1.6, shape: "hv", dash: DASHES[number % DASHES.length] },
      ...(k == null ? {} : { legendgroup: `g${k}` }),
    });
  }
  groups.forEach((group, k) => {
    if (!group.rows.length) return;
    data.push({
      x: group.rows.map((row) => row[x.key]), y: group.rows.map((row) => row[y.key]), mode: "markers", type: "scatter",
      name: plain(shortened(group.name, 28)), legendgroup: `g${k}`,
      customdata: group.rows.map((row) => row.digest), text: group.rows.map((row) => hoverText(row, x, y)), hovertemplate: "%{text}<extra></extra>",
      marker: {
        color: colours[k % colours.length], symbol: SYMBOLS[Math.floor(k / colours.length + k) % SYMBOLS.length], line: { width: 1, color: tone("card") },
        size: group.rows.map((row) => (best.has(row) ? 11 : 8)), opacity: group.rows.map((row) => (row.status === "pruned" ? 0.3 : best.has(row) ? 1 : 0.72)),
      },
    });
  });
  const titled = (axis, way, log) => ({
    title: { text: axis.label + (axis.best === "max" ? " · more is better" : ""), standoff: 8 }, type: log ? "log" : "linear",
    minorloglabels: "complete", exponentformat: "none", separatethousands: true, ...(log ? { dtick: logStep(data, way) } : { nticks: 8 }),
  });
  return {
    data,
    layout: layout({
      xaxis: titled(x, "x", log.x), yaxis: titled(y, "y", log.y), hovermode: "closest", showlegend: groups.filter((group) => group.rows.length).length > 1,
      ...rings(chosen, x, y, log), margin: { l: 52, r: 16, t: 34, b: 48 }, uirevision: `${x.key} ${y.key} ${log.x} ${log.y}`,
    }),
  };
}

const scaled = (codes, ulp) => codes.map((code) => code * ulp);

// The function, and the unit's segments over it in two colours by turns.
function functionTraces(output, x, axes, legend) {
  const values = scaled(output.outputs, output.ulp);
  const reference = output.outputs.map((code, k) => (code - output.error_ulp[k]) * output.ulp);
  const traces = [
    { x, y: reference, mode: "lines", name: "function", line: { color: tone("reference"), width: 6 }, hoverinfo: "skip", ...axes, showlegend: legend, legendgroup: "f" },
  ];
  // Pieces of hardly more than a code each are steps, as those of a table.
  const steps = output.method !== "pwl" || output.breakpoints.length > x.length / 3;
  const starts = steps ? [0, x.length] : [0, ...output.breakpoints, x.length];
  for (const turn of [0, 1]) {
    const line = { x: [], y: [], mode: "lines", type: "scatter", name: turn ? "next segment" : steps ? "unit" : "segment", ...axes };
    Object.assign(line, { line: { color: tone(turn ? "second" : "first"), width: 1.8, shape: steps ? "hvh" : "linear" } });
    Object.assign(line, { hovertemplate: "x %{x:.5~g}<br>%{y:.6~g}<extra></extra>", showlegend: legend, legendgroup: `s${turn}` });
    for (let k = turn; k + 1 < starts.length; k += 2) {
      line.x.push(...x.slice(starts[k], starts[k + 1]), null);
      line.y.push(...values.slice(starts[k], starts[k + 1]), null);
    }
    if (line.x.length) traces.push(line);
  }
  if (!steps && output.breakpoints.length <= 80) {
    const at = output.breakpoints;
    traces.push({
      x: at.map((k) => x[k]), y: at.map((k) => values[k]), mode: "markers", name: "breakpoint", hoverinfo: "skip", ...axes, showlegend: legend, legendgroup: "b",
      marker: { color: tone("ink"), size: at.length > 40 ? 3.5 : 5 },
    });
  }
  return traces;
}

function slopeTraces(slope, ulp, axes) {
  return [
    { x: scaled(slope.reference_codes, ulp), y: slope.reference, mode: "lines", line: { color: tone("reference"), width: 6 }, hoverinfo: "skip", showlegend: false, ...axes },
    {
      x: scaled(slope.codes, ulp), y: slope.slopes, mode: "lines", line: { color: tone("first"), width: 1.6, shape: "hv" }, showlegend: false, ...axes,
      hovertemplate: "x %{x:.5~g}<br>slope %{y:.5~g}<extra></extra>",
    },
  ];
}

function errorTraces(output, x, axes, colour) {
  const few = x.length <= 330;
  return [{
    x, y: output.error_ulp, mode: few ? "lines+markers" : "lines", line: { color: colour, width: few ? 0.7 : 1 }, marker: { size: 3.2 }, showlegend: false, ...axes,
    hovertemplate: "x %{x:.5~g}<br>%{y:.3f} ulp<extra></extra>",
  }];
}

const reach = (output) => Math.max(...output.error_ulp.map(Math.abs)) || 0.5;
const boundShown = (output) => output.bound_ulp != null && output.bound_ulp <= FAR_BOUND * reach(output);

function boundLines(output, yref) {
  if (!boundShown(output)) return [];
  return [-1, 1].map((sign) => ({
    type: "line", xref: "paper", x0: 0, x1: 1, yref, y0: sign * output.bound_ulp, y1: sign * output.bound_ulp,
    line: { color: tone("bound"), width: 1.4, dash: "dash" },
  }));
}

function errorAxis(output) {
  const most = 1.18 * Math.max(reach(output), boundShown(output) ? output.bound_ulp : 0);
  return { range: [-most, most] };
}

// One row of plots above another over the same x: the function, its derivative, and their errors.
function datasheetFigure(curve) {
  const plots = [];
  for (const [name, output] of Object.entries(curve.outputs)) {
    const x = scaled(output.codes, curve.input_ulp);
    const title = name === "y" ? "y" : "dy";
    plots.push({ title: `<b>${title}</b> ≈ ${plain(shortened(output.expression, 46))}`, share: 1.3, traces: (axes) => functionTraces(output, x, axes, name === "y") });
    if (name === "y" && curve.slope) {
      plots.push({ title: "<b>slope</b> of the segments over the derivative", share: 1, traces: (axes) => slopeTraces(curve.slope, curve.input_ulp, axes) });
    }
    plots.push({
      title: `<b>error of ${title}</b> in ulp${boundShown(output) ? ", between its bounds" : ""}`, share: 0.85,
      traces: (axes) => errorTraces(output, x, axes, tone("error")), axis: errorAxis(output), shapes: (yref) => boundLines(output, yref),
    });
  }
  return stacked(plots, 190);
}

// The errors of several points, each above the next over one x.
function errorsFigure(points) {
  const plots = points.flatMap(({ name, curve }, k) =>
    Object.entries(curve.outputs).map(([title, output]) => ({
      title: `<b>${name}</b> error of ${title} in ulp of ${output.format}`, share: 1, axis: errorAxis(output), shapes: (yref) => boundLines(output, yref),
      traces: (axes) => errorTraces(output, scaled(output.codes, curve.input_ulp), axes, tone(k ? "second" : "first")),
    })));
  return stacked(plots, 200);
}

function stacked(plots, height) {
  const total = plots.reduce((sum, plot) => sum + plot.share, 0), tall = Math.round(height * total + 80);
  const gap = 34 / tall, usable = 1 - gap * (plots.length - 1), data = [], extra = { shapes: [], annotations: [], height: tall };
  let top = 1;
  plots.forEach((plot, k) => {
    const suffix = k ? String(k + 1) : "", bottom = Math.max(0, top - (usable * plot.share) / total), last = k === plots.length - 1;
    extra[`yaxis${suffix}`] = { ...layout({}).yaxis, domain: [bottom, top], nticks: 6, ...plot.axis };
    extra[`xaxis${suffix}`] = { ...layout({}).xaxis, anchor: `y${suffix}`, showticklabels: last, matches: k ? "x" : undefined, ...(last ? { title: { text: "x", standoff: 4 } } : {}) };
    extra.annotations.push({ xref: "paper", yref: "paper", x: 0, y: top, xanchor: "left", yanchor: "bottom", text: plot.title, showarrow: false, font: { size: 12.5 } });
    extra.shapes.push(...(plot.shapes ? plot.shapes(`y${suffix}`) : []));
    data.push(...plot.traces({ xaxis: `x${suffix}`, yaxis: `y${suffix}`, type: "scatter" }));
    top = bottom - gap;
  });
  const legend = { ...layout({}).legend, y: 1 + 24 / tall, font: { size: 11.5 } };
  return { data, layout: layout({ ...extra, legend, margin: { l: 44, r: 8, t: 54, b: 40 }, hovermode: "closest" }) };
}
