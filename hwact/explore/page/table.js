"use strict";
// The table of points: sorted by its heads, cut into pages, one row at a time in the order of the Tab key.

const PAGE = 50;

class PointTable {
  // on: {choose(row), pair(name, row), sorted()}
  constructor(element, pages, columns, on) {
    Object.assign(this, { element, pages, columns, on, rows: [], page: 0, focus: 0, key: null, descending: false, marks: () => "" });
    element.addEventListener("keydown", (event) => this.pressed(event));
  }

  show(rows, marks, chosen) {
    Object.assign(this, { rows: this.sorted(rows), marks, chosen });
    this.page = Math.min(this.page, this.last);
    this.draw();
  }

  get last() {
    return Math.max(0, Math.ceil(this.rows.length / PAGE) - 1);
  }

  sorted(rows) {
    if (!this.key) return rows;
    const sign = this.descending ? -1 : 1, key = this.key;
    // What is missing comes last in either order.
    return [...rows].sort((a, b) => {
      if (a[key] == null || b[key] == null) return (a[key] == null) - (b[key] == null);
      const order = typeof a[key] === "number" ? a[key] - b[key] : COLLATOR.compare(a[key], b[key]);
      return sign * order;
    });
  }

  sortBy(key) {
    this.descending = this.key === key && !this.descending;
    Object.assign(this, { key, page: 0, focus: 0 });
    this.rows = this.sorted(this.rows);
    this.draw();
    this.element.querySelector(`th[data-key="${key}"] button`).focus();
  }

  turnTo(page) {
    Object.assign(this, { page: Math.max(0, Math.min(this.last, page)), focus: 0 });
    this.draw();
  }

  // Shows the page on which a row stands.
  reveal(row) {
    const at = this.rows.indexOf(row);
    if (at < 0) return;
    Object.assign(this, { page: Math.floor(at / PAGE), focus: at % PAGE });
  }

  draw() {
    const heads = this.columns.map((column) => el("th", {
      scope: "col", "data-key": column.key, class: column.number ? "number" : "",
      "aria-sort": this.key === column.key ? (this.descending ? "descending" : "ascending") : "none",
    }, el("button", { type: "button", onclick: () => this.sortBy(column.key) }, column.label)));
    const shown = this.rows.slice(this.page * PAGE, (this.page + 1) * PAGE);
    const body = shown.map((row, k) => el("tr", {
      tabindex: k === this.focus ? 0 : -1, "aria-selected": String(row === this.chosen), "data-digest": row.digest,
      onclick: () => { this.focus = k; this.on.choose(row, { scroll: true }); },
    }, el("td", { class: "marks" }, this.marks(row)), ...this.columns.map((column) => cell(row, column))));
    const table = el("table", { role: "grid", "aria-describedby": "alike" }, el("caption", { class: "hidden" }, "Points of the exploration"),
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, el("span", { class: "hidden" }, "Marks")), ...heads)), el("tbody", {}, ...body));
    keepingFocus(this.element, () => this.element.replaceChildren(shown.length ? table : el("p", { class: "empty" }, "No point matches these filters.")));
    this.drawPages();
  }

  drawPages() {
    const button = (text, label, page, off) => el("button", { type: "button", "aria-label": label, disabled: off, onclick: () => this.turnTo(page) }, text);
    const first = this.rows.length ? this.page * PAGE + 1 : 0, end = Math.min(this.rows.length, (this.page + 1) * PAGE);
    const text = el("span", {}, `${count(first)}–${count(end)} of ${count(this.rows.length)}`);
    this.pages.hidden = this.last === 0;
    keepingFocus(this.pages, () => this.pages.replaceChildren(button("‹", "Previous page", this.page - 1, this.page === 0), text,
      button("›", "Next page", this.page + 1, this.page === this.last)));
  }

  focusRow(index) {
    const rows = this.element.querySelectorAll("tbody tr");
    if (!rows.length) return;
    rows[this.focus]?.setAttribute("tabindex", "-1");
    this.focus = Math.max(0, Math.min(rows.length - 1, index));
    rows[this.focus].setAttribute("tabindex", "0");
    rows[this.focus].focus();
  }

  pressed(event) {
    if (event.target.tagName !== "TR" || event.ctrlKey || event.metaKey || event.altKey) return;
    const row = this.rows[this.page * PAGE + this.focus];
    const turn = (by) => { this.turnTo(this.page + by); this.focusRow(0); };
    const actions = {
      ArrowDown: () => this.focusRow(this.focus + 1), ArrowUp: () => this.focusRow(this.focus - 1),
      Home: () => this.focusRow(0), End: () => this.focusRow(PAGE), PageDown: () => turn(1), PageUp: () => turn(-1),
      Enter: () => this.on.choose(row), " ": () => this.on.choose(row), a: () => this.on.pair("A", row), b: () => this.on.pair("B", row),
    };
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }
}

function cell(row, column) {
  const text = show(row[column.key]);
  return el("td", { class: column.number ? "number" : "", title: text.length > 36 ? text : null }, text);
}
