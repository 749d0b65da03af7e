// Mouse, fingers, keys and buttons of the viewer.

import { _ } from "../page.js";
import { densityText } from "./volume.js";

/** @typedef {import("./viewer.js").Viewer} Viewer */

const WINDOWS = { liver: { level: 90, width: 160 }, soft: { level: 40, width: 400 } };
const ZOOM_STEP = 1.25;
const PIXELS_A_SLICE = 8;
const STEP_PIXELS = 40;
/** A press that moves no further is a click. */
const CLICK_REACH = 4;
const MIDDLE_BUTTON = 1;

/** Connects the page's controls with a viewer. */
export class Controls {
  /**
   * @param {HTMLElement} section
   * @param {Viewer} viewer
   * @param {(lesion: number | null) => void} choose called where a lesion is clicked, null beside all
   * @param {(step: 1 | -1) => void} chooseNext called by the keys for the next and the previous lesion
   */
  constructor(section, viewer, choose, chooseNext) {
    this.section = section;
    this.viewer = viewer;
    this.choose = choose;
    this.chooseNext = chooseNext;
    this.frame = /** @type {HTMLElement} */ (section.querySelector("#frame"));
    this.slider = /** @type {HTMLInputElement} */ (section.querySelector("#slice"));
    this.where = /** @type {HTMLElement} */ (section.querySelector("#where"));
    this.density = /** @type {HTMLElement} */ (section.querySelector("#density"));
    this.level = this.input("level");
    this.width = this.input("width");
    /** Pressed pointers by their id. @type {Map<number, {x: number, y: number}>} */
    this.pointers = new Map();
    this.travelled = 0;
    this.wheel = 0;
    if (matchMedia("(pointer: coarse)").matches) {
      this.input("drag", "slice").checked = true;
    }
    this.connectTools();
    this.connectPointers();
    this.frame.addEventListener("keydown", (event) => this.key(event));
    this.slider.addEventListener("input", () => viewer.showSlice(this.slider.valueAsNumber));
    this.setWindow(WINDOWS.liver);
  }

  /**
   * @param {string} name
   * @param {string} [value]
   */
  input(name, value) {
    const selector = value === undefined ? `[name="${name}"]` : `[name="${name}"][value="${value}"]`;
    return /** @type {HTMLInputElement} */ (this.section.querySelector(selector));
  }

  /** What dragging changes: window, slice or place. */
  get drag() {
    return /** @type {HTMLInputElement} */ (this.section.querySelector('[name="drag"]:checked')).value;
  }

  connectTools() {
    const { viewer, section } = this;
    section.addEventListener("change", (event) => {
      const input = /** @type {HTMLInputElement} */ (event.target);
      if (input.name === "plane") {
        viewer.showPlane(/** @type {import("./geometry.js").PlaneName} */ (input.value));
      } else if (input.name === "window" && input.value !== "own") {
        this.setWindow(WINDOWS[/** @type {keyof typeof WINDOWS} */ (input.value)]);
      } else if (input.name === "level" || input.name === "width") {
        this.setOwnWindow({ level: this.level.valueAsNumber, width: this.width.valueAsNumber });
      } else if (input.name === "outlines") {
        this.showOutlines(input.checked);
      }
    });
    this.input("smaller").addEventListener("click", () => this.zoom(1 / ZOOM_STEP));
    this.input("larger").addEventListener("click", () => this.zoom(ZOOM_STEP));
    this.input("fit").addEventListener("click", () => this.fit());
  }

  /** Shows in the controls what the viewer shows. */
  show() {
    const { viewer } = this;
    this.slider.max = String(viewer.plane.count - 1);
    this.slider.value = String(viewer.index);
    this.slider.setAttribute("aria-valuetext", viewer.where);
    this.where.textContent = viewer.where;
    const lesions = viewer.lesionsShown.join(", ");
    viewer.canvas.setAttribute(
      "aria-label",
      lesions ? _("{where}; lesions {lesions}", { where: viewer.where, lesions }) : viewer.where,
    );
    this.showDensity();
  }

  showDensity() {
    const { viewer } = this;
    const hu = this.pixel ? viewer.volume.huAt(viewer.plane, viewer.index, viewer.pointAt(this.pixel)) : null;
    this.density.textContent = hu === null ? "" : densityText(hu, viewer.volume.pictures);
  }

  /** @param {{level: number, width: number}} window */
  setWindow(window) {
    this.viewer.window = window;
    this.level.value = String(Math.round(window.level));
    this.width.value = String(Math.round(window.width));
    this.viewer.update();
  }

  /** @param {{level: number, width: number}} window */
  setOwnWindow(window) {
    this.input("window", "own").checked = true;
    const { level, width } = this.viewer.window;
    this.setWindow({
      level: Number.isFinite(window.level) ? window.level : level,
      width: Number.isFinite(window.width) ? Math.max(window.width, 1) : width,
    });
  }

  /** @param {boolean} shown */
  showOutlines(shown) {
    this.input("outlines").checked = shown;
    this.viewer.showsOutlines = shown;
    this.viewer.update();
  }

  /**
   * @param {number} factor
   * @param {{x: number, y: number}} [pixel] that stays where it is; the middle by default
   */
  zoom(factor, pixel) {
    const { viewer } = this;
    const fixed = pixel ?? { x: viewer.frame.width / 2, y: viewer.frame.height / 2 };
    viewer.placement.zoomAt(viewer.plane, viewer.frame, fixed, factor);
    viewer.update();
  }

  fit() {
    this.viewer.placement.reset();
    this.viewer.update();
  }

  /** @param {{x: number, y: number}} pixels */
  move(pixels) {
    this.viewer.placement.move(this.viewer.plane, this.viewer.frame, pixels);
    this.viewer.update();
  }

  /** @param {number} slices to go on in the stack */
  scroll(slices) {
    this.viewer.showSlice(this.viewer.index + slices);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    /** @type {Record<string, () => void>} */
    const moves = {
      ArrowUp: () => this.move({ x: 0, y: STEP_PIXELS }),
      ArrowDown: () => this.move({ x: 0, y: -STEP_PIXELS }),
      ArrowLeft: () => this.move({ x: STEP_PIXELS, y: 0 }),
      ArrowRight: () => this.move({ x: -STEP_PIXELS, y: 0 }),
    };
    /** @type {Record<string, () => void>} */
    const actions = {
      ArrowUp: () => this.scroll(1),
      ArrowDown: () => this.scroll(-1),
      PageUp: () => this.scroll(10),
      PageDown: () => this.scroll(-10),
      Home: () => this.viewer.showSlice(0),
      End: () => this.viewer.showSlice(this.viewer.plane.count - 1),
      "+": () => this.zoom(ZOOM_STEP),
      "-": () => this.zoom(1 / ZOOM_STEP),
      0: () => this.fit(),
      o: () => this.showOutlines(!this.viewer.showsOutlines),
      n: () => this.chooseNext(1),
      p: () => this.chooseNext(-1),
      Escape: () => this.choose(null),
    };
    const action = (event.shiftKey && moves[event.key]) || actions[event.key] || actions[event.key.toLowerCase()];
    if (action) {
      event.preventDefault();
      action();
    }
  }

  connectPointers() {
    const { frame } = this;
    frame.addEventListener("wheel", (event) => this.turn(event), { passive: false });
    frame.addEventListener("pointerdown", (event) => this.press(event));
    frame.addEventListener("mousedown", (event) => {
      if (event.button === MIDDLE_BUTTON) {
        event.preventDefault(); // Windows would scroll the page
        frame.focus({ preventScroll: true });
      }
    });
    frame.addEventListener("pointermove", (event) => this.drift(event));
    frame.addEventListener("pointerup", (event) => this.release(event));
    frame.addEventListener("pointercancel", (event) => this.pointers.delete(event.pointerId));
    frame.addEventListener("pointerleave", () => {
      this.pixel = undefined;
      this.showDensity();
    });
    frame.addEventListener("dblclick", () => this.fit());
  }

  /** @param {MouseEvent} event */
  pixelOf(event) {
    const box = this.viewer.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** @param {WheelEvent} event */
  turn(event) {
    event.preventDefault();
    if (event.ctrlKey) {
      this.zoom(ZOOM_STEP ** -notches(event), this.pixelOf(event));
      return;
    }
    this.wheel += notches(event);
    const slices = Math.trunc(this.wheel);
    if (slices) {
      this.wheel = 0;
      this.scroll(-slices);
    }
  }

  /** @param {PointerEvent} event */
  press(event) {
    if (event.button > MIDDLE_BUTTON) {
      return; // the right one opens a menu, which may keep its release from the page
    }
    this.frame.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.pixelOf(event));
    this.travelled = this.pointers.size > 1 ? Infinity : 0;
    this.wheel = 0;
  }

  /** @param {PointerEvent} event */
  drift(event) {
    const now = this.pixelOf(event);
    if (event.buttons === 0) {
      this.pointers.delete(event.pointerId); // was let go of where the page was not told
    }
    const before = this.pointers.get(event.pointerId);
    this.pixel = now;
    if (!before) {
      this.showDensity();
      return;
    }
    const by = { x: now.x - before.x, y: now.y - before.y };
    this.travelled = Math.max(this.travelled, Math.hypot(by.x, by.y));
    if (this.travelled <= CLICK_REACH) {
      return;
    }
    this.pointers.set(event.pointerId, now);
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      this.pinch(before, now, other);
    } else if (this.drag === "place" || event.shiftKey || event.buttons & 4) {
      this.move(by);
    } else if (this.drag === "slice") {
      this.wheel += by.y / PIXELS_A_SLICE;
      const slices = Math.trunc(this.wheel);
      this.wheel -= slices;
      this.scroll(-slices);
    } else {
      const { level, width } = this.viewer.window;
      this.setOwnWindow({ level: level + by.y, width: Math.max(width + 2 * by.x, 1) });
    }
  }

  /**
   * Two fingers, of which one moved.
   * @param {{x: number, y: number}} before
   * @param {{x: number, y: number}} now
   * @param {{x: number, y: number}} other
   */
  pinch(before, now, other) {
    const apart = (/** @type {{x: number, y: number}} */ point) => Math.hypot(point.x - other.x, point.y - other.y);
    const middle = { x: (before.x + other.x) / 2, y: (before.y + other.y) / 2 };
    this.zoom(Math.max(apart(now), 1) / Math.max(apart(before), 1), middle);
    this.move({ x: (now.x - before.x) / 2, y: (now.y - before.y) / 2 });
  }

  /** @param {PointerEvent} event */
  release(event) {
    const isClick = this.pointers.delete(event.pointerId) && this.travelled <= CLICK_REACH && event.button === 0;
    if (isClick) {
      const { viewer } = this;
      const pixel = this.pixelOf(event);
      const at = viewer.plane.voxelAt(viewer.index, viewer.pointAt(pixel));
      viewer.place = /** @type {import("./geometry.js").Voxel} */ (
        at.map((each, axis) => Math.min(Math.max(each, 0), viewer.data.size[axis] - 1))
      );
      this.choose(viewer.lesionAt(pixel));
    }
  }
}

/**
 * Notches of a wheel that an event stands for, one at most; of a touchpad's many small turns each is a part.
 * @param {WheelEvent} event
 */
function notches(event) {
  const turned = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY / 50 : Math.sign(event.deltaY);
  return Math.min(Math.max(turned, -1), 1);
}
