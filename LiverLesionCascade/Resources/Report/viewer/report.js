// The report: viewer and table together.

import { _, pageData, translateTo } from "../page.js";
import { Controls } from "./controls.js";
import { LesionTable } from "./lesion_table.js";
import { Viewer } from "./viewer.js";

const { texts, viewer: data } = pageData();
translateTo(texts);
const section = /** @type {HTMLElement} */ (document.getElementById("viewer"));
const canvas = /** @type {HTMLCanvasElement} */ (document.getElementById("canvas"));
const status = /** @type {HTMLElement} */ (document.getElementById("chosen"));
const tableElement = /** @type {HTMLTableElement | null} */ (document.getElementById("lesions"));

section.hidden = false;
document.documentElement.classList.add("viewing");
const table = tableElement && new LesionTable(tableElement, choose);
const viewer = new Viewer(canvas, data, () => controls.show());
const controls = new Controls(section, viewer, select, (step) => {
  if (table) {
    choose(table.beside(viewer.chosen, step));
  }
});
viewer.place[0] = data.first;
viewer.draw();
new ResizeObserver(() => viewer.draw()).observe(canvas);
viewer.volume
  .load(
    () => Math.round(viewer.place[0]),
    (index) => {
      if (viewer.plane.name !== "axial" || index === viewer.index) {
        viewer.update();
      }
    },
  )
  .catch(giveUp);

/** Leaves the report of key images: a scan of which some is missing or made up must not be looked at. */
function giveUp() {
  document.documentElement.classList.remove("viewing");
  section.className = "notice";
  section.textContent = _(
    "The slices cannot be shown: this browser cannot read their pictures, or keeps them from the page to guard against fingerprinting. The key images are below; another browser may show the slices.",
  );
}

/**
 * Marks a lesion and goes to it, and to the picture where that is out of sight.
 * @param {number} lesion
 */
function choose(lesion) {
  viewer.choose(lesion);
  canvas.scrollIntoView({ block: "nearest" });
  tell(lesion);
}

/**
 * Marks a lesion where it is seen; null for none.
 * @param {number | null} lesion
 */
function select(lesion) {
  viewer.chosen = lesion;
  viewer.update();
  tell(lesion);
}

/** @param {number | null} lesion */
function tell(lesion) {
  table?.mark(lesion);
  status.textContent = lesion === null ? "" : _("Lesion {lesion}, {where}", { lesion, where: viewer.where });
}
