// Both pages: the data in the page, its texts, and sorting.

/**
 * What stands in the page's JSON.
 * @returns {any}
 */
export function pageData() {
  const element = /** @type {HTMLElement} */ (document.getElementById("data"));
  return JSON.parse(element.textContent ?? "");
}

/** @type {Record<string, string>} */
let translations = {};

/** @param {Record<string, string>} texts those in _() by the English ones */
export function translateTo(texts) {
  translations = texts;
}

/**
 * A text in the page's language, with its {fields} filled in.
 * @param {string} text
 * @param {Record<string, string | number>} [fields]
 */
export function _(text, fields = {}) {
  return (translations[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => String(fields[name] ?? whole));
}

/**
 * A number as it is printed: a real minus sign, no minus zero, a dash where there is none.
 * @param {number | null | undefined} value
 * @param {number} decimals
 */
export function number(value, decimals) {
  if (value === null || value === undefined || !Number.isFinite(value)) {
    return "–";
  }
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/**
 * Order of two values: numbers by size, texts as people do; what is missing comes last, in both directions.
 * @param {number | string | null} a
 * @param {number | string | null} b
 * @param {1 | -1} direction
 */
export function compare(a, b, direction) {
  if (a === null || b === null) {
    return (a === null ? 1 : 0) - (b === null ? 1 : 0);
  }
  if (typeof a === "number" && typeof b === "number") {
    return direction * (a - b);
  }
  return direction * String(a).localeCompare(String(b), undefined, { numeric: true });
}

/**
 * Makes the headings of a table buttons that sort; returns what does the same for the script.
 * @param {HTMLTableElement} table
 * @param {(column: number, direction: 1 | -1) => void} sort
 * @returns {(column: number, direction: 1 | -1) => void}
 */
export function sortableHeadings(table, sort) {
  const headings = [...table.querySelectorAll("thead th")];
  const sortBy = (/** @type {number} */ column, /** @type {1 | -1} */ direction) => {
    for (const each of headings) {
      each.removeAttribute("aria-sort");
    }
    headings[column].setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
    sort(column, direction);
  };
  for (const [column, heading] of headings.entries()) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      sortBy(column, heading.getAttribute("aria-sort") === "ascending" ? -1 : 1);
    });
  }
  return sortBy;
}
