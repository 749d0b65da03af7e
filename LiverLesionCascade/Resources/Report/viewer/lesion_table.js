// The table of the lesions: sorting, and the row that is chosen.

import { compare, sortableHeadings } from "../page.js";

export class LesionTable {
  /**
   * @param {HTMLTableElement} table
   * @param {(lesion: number) => void} choose called where a row is clicked
   */
  constructor(table, choose) {
    this.head = /** @type {HTMLElement} */ (table.tHead);
    this.body = table.tBodies[0];
    this.box = /** @type {HTMLElement} */ (table.parentElement);
    for (const row of this.rows) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...row.cells[0].childNodes);
      row.cells[0].append(button);
      row.addEventListener("click", () => choose(numberOf(row)));
    }
    sortableHeadings(table, (column, direction) => {
      const rows = this.rows.sort((a, b) => compare(sortValue(a, column), sortValue(b, column), direction));
      this.body.append(...rows);
    });
  }

  get rows() {
    return [...this.body.rows];
  }

  /** Numbers of the lesions, as they stand. */
  get lesions() {
    return this.rows.map(numberOf);
  }

  /** @param {number | null} lesion */
  mark(lesion) {
    for (const row of this.rows) {
      if (numberOf(row) === lesion) {
        row.setAttribute("aria-current", "true");
        this.show(row);
      } else {
        row.removeAttribute("aria-current");
      }
    }
  }

  /**
   * Scrolls the table's box to a row where the box scrolls; never the page, off which the picture would go.
   * @param {HTMLTableRowElement} row
   */
  show(row) {
    const box = this.box.getBoundingClientRect();
    const { top, bottom } = row.getBoundingClientRect();
    const above = top - box.top - this.head.offsetHeight;
    this.box.scrollTop += Math.min(above, 0) + Math.max(bottom - box.bottom, 0);
  }

  /**
   * The lesion that follows one, or comes before it; round the ends.
   * @param {number | null} lesion
   * @param {1 | -1} step
   */
  beside(lesion, step) {
    const all = this.lesions;
    const place = lesion === null ? -1 : all.indexOf(lesion);
    return all[place < 0 ? (step > 0 ? 0 : all.length - 1) : (place + step + all.length) % all.length];
  }
}

/** @param {HTMLTableRowElement} row */
function numberOf(row) {
  return Number(row.dataset.lesion);
}

/**
 * @param {HTMLTableRowElement} row
 * @param {number} column
 */
function sortValue(row, column) {
  const { value } = row.cells[column].dataset;
  return value === undefined || value === "" ? null : Number.isNaN(Number(value)) ? value : Number(value);
}
