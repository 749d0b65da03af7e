// The list of an archive's cases: rows are made as they are scrolled to.

import { number, pageData, sortableHeadings } from "../page.js";
import { filtered, rowsInSight, sorted } from "./cases.js";

/** @typedef {import("./cases.js").Case} Case */

/** Whole ones, in which all browsers lay out rows; of three lines in the reader's size. */
const ROW_PIXELS = Math.round(4.5 * Number.parseFloat(getComputedStyle(document.documentElement).fontSize));
/** @type {(keyof Case)[]} */
const COLUMNS = ["source", "source", "state", "lesions", "liver", "burden", "longest", "doubt"];

/** @type {{cases: Case[], folder: string, picture: string, report: string}} */
const data = pageData();
const section = /** @type {HTMLElement} */ (document.getElementById("cases"));
const form = /** @type {HTMLFormElement} */ (document.getElementById("filters"));
const list = /** @type {HTMLElement} */ (document.getElementById("list"));
const table = /** @type {HTMLTableElement} */ (document.getElementById("table"));
const count = /** @type {HTMLElement} */ (document.getElementById("count"));
const body = table.tBodies[0];

/** What a visit to a case must not lose. @type {{column: number, direction: 1 | -1, top: number}} */
const view = history.state ?? { column: COLUMNS.length - 1, direction: -1, top: 0 };
let order = data.cases;
let listed = order;
/** The rows that are made. @type {Map<Case, HTMLTableRowElement>} */
let made = new Map();
/** In place of those that are not. */
const above = space();
const below = space();
body.append(above, below);

table.style.setProperty("--row", `${ROW_PIXELS}px`);
section.hidden = false;
/** @type {HTMLElement} */ (document.getElementById("not-done")).hidden = true;
const sortBy = sortableHeadings(table, (column, direction) => {
  Object.assign(view, { column, direction });
  order = sorted(data.cases, COLUMNS[column], direction);
  filter();
});
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(filter));
list.addEventListener("scroll", showRows);
new ResizeObserver(showRows).observe(list);
addEventListener("pagehide", () => history.replaceState({ ...view, top: list.scrollTop }, ""));
// Not before: the browser too brings back what stood in the form.
addEventListener("pageshow", (event) => {
  if (!event.persisted) {
    sortBy(view.column, view.direction);
    list.scrollTop = view.top;
  }
});

function filter() {
  const field = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name)).value;
  const limit = (/** @type {string} */ name) => (field(name) === "" ? Number.NaN : Number(field(name)));
  listed = filtered(order, { text: field("text"), state: field("state"), from: limit("from"), to: limit("to") });
  count.textContent = `${listed.length} of ${data.cases.length}`;
  table.setAttribute("aria-rowcount", String(listed.length + 1));
  list.scrollTop = 0;
  showRows();
}

function showRows() {
  const { first, end } = rowsInSight(list.scrollTop, list.clientHeight, ROW_PIXELS, listed.length);
  // Rows in sight stay as they are: a link in them may have the focus.
  const rows = new Map(listed.slice(first, end).map((each) => [each, made.get(each) ?? rowOf(each)]));
  for (const [each, row] of made) {
    if (!rows.has(each)) {
      if (row.contains(document.activeElement)) {
        list.focus({ preventScroll: true }); // keys go on scrolling
      }
      row.remove();
    }
  }
  /** @type {Element} */
  let last = above;
  for (const [offset, row] of [...rows.values()].entries()) {
    row.setAttribute("aria-rowindex", String(first + offset + 2));
    if (last.nextElementSibling !== row) {
      last.after(row);
    }
    last = row;
  }
  above.style.height = `${first * ROW_PIXELS}px`;
  below.style.height = `${(listed.length - end) * ROW_PIXELS}px`;
  made = rows;
}

function space() {
  const row = document.createElement("tr");
  row.ariaHidden = "true";
  return row;
}

/** @param {Case} each */
function rowOf(each) {
  const row = document.createElement("tr");
  row.className = "case";
  const isDone = each.state === "done";
  const picture = document.createElement("td");
  const scan = document.createElement("th");
  scan.scope = "row";
  const name = document.createElement(isDone ? "a" : "span");
  name.textContent = each.source;
  if (isDone) {
    name.setAttribute("href", `${data.folder}/${each.name}/${data.report}`);
    const image = document.createElement("img");
    image.alt = "";
    image.loading = "lazy";
    image.addEventListener("error", () => image.remove());
    image.src = `${data.folder}/${each.name}/${data.picture}`;
    picture.append(image);
  }
  const remark = document.createElement("span");
  remark.className = "remark";
  remark.textContent = each.text;
  remark.title = each.text;
  scan.append(name, remark);
  const values = [
    isDone ? "segmented" : each.state,
    number(each.lesions, 0),
    number(each.liver, 0),
    number(each.burden, 1),
    number(each.longest, 0),
    number(each.doubt, 1),
  ];
  row.append(picture, scan, ...values.map(cellOf));
  return row;
}

/** @param {string} text */
function cellOf(text) {
  const cell = document.createElement("td");
  cell.textContent = text;
  return cell;
}
