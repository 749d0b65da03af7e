// The picture: what is shown of the scan, drawn on a canvas.

import { _, number } from "../page.js";
import { boundsOf, Placement, Plane, scaleBar } from "./geometry.js";
import { Volume, windowTable } from "./volume.js";

/**
 * @typedef {import("./geometry.js").Voxel} Voxel
 * @typedef {import("./geometry.js").PlaneName} PlaneName
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {{number: number, long: Voxel[], short: Voxel[], middle: Voxel}} Lesion
 *
 * @typedef {object} ViewerData
 * @property {number[]} size of the box in voxels
 * @property {number[]} spacing in mm
 * @property {number[]} origin R, A, S in mm of the first voxel's middle
 * @property {number[] | null} numbers of the slices, as in the table; null where the scan is tilted across them
 * @property {import("./volume.js").Pictures} pictures
 * @property {Record<PlaneName, Record<string, string>[]>} outlines of each plane's pictures: 0 the liver, else a lesion
 * @property {Lesion[]} lesions
 */

const COLOURS = { liver: "rgb(74, 222, 158)", lesion: "rgb(255, 82, 70)", chosen: "rgb(255, 219, 88)", text: "#fff" };
const CLICK_PIXELS = 5;

export class Viewer {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {ViewerData} data
   * @param {() => void} changed called after each drawing
   */
  constructor(canvas, data, changed) {
    this.canvas = canvas;
    this.data = data;
    this.changed = changed;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.picture = document.createElement("canvas");
    this.volume = new Volume(data.pictures);
    this.planes = {
      axial: new Plane("axial", data.size, data.spacing),
      coronal: new Plane("coronal", data.size, data.spacing),
      sagittal: new Plane("sagittal", data.size, data.spacing),
    };
    this.plane = this.planes.axial;
    /** The voxel that all planes go through. @type {Voxel} */
    this.place = [data.size[0] / 2, data.size[1] / 2, data.size[2] / 2];
    this.placement = new Placement();
    this.window = { level: 90, width: 160 };
    this.showsOutlines = true;
    /** Number of the lesion that is marked. @type {number | null} */
    this.chosen = null;
    this.isWaiting = false;
  }

  get index() {
    return this.plane.indexOf(this.place);
  }

  /** The frame in the browser's pixels, which pointers count in. */
  get frame() {
    return { width: this.canvas.clientWidth, height: this.canvas.clientHeight };
  }

  /** Draws once before the next frame, however much changes until then. */
  update() {
    if (!this.isWaiting) {
      this.isWaiting = true;
      requestAnimationFrame(() => {
        this.isWaiting = false;
        this.draw();
      });
    }
  }

  /** @param {number} index */
  showSlice(index) {
    this.place[this.plane.through] = Math.min(Math.max(index, 0), this.plane.count - 1);
    this.update();
  }

  /** @param {PlaneName} name */
  showPlane(name) {
    this.plane = this.planes[name];
    this.placement.reset();
    this.update();
  }

  /**
   * Marks a lesion and goes to it: to the slice of its diameters in the axial plane, else to its middle.
   * @param {number | null} lesionNumber
   */
  choose(lesionNumber) {
    this.chosen = lesionNumber;
    const lesion = this.lesion(lesionNumber);
    if (lesion) {
      this.place = [...lesion.middle];
      if (this.plane.name === "axial") {
        this.place[0] = Math.round((lesion.long[0][0] + lesion.long[1][0]) / 2);
      }
      const point = this.plane.pointOf(this.place);
      const { a, d, e, f } = this.placement.matrix(this.plane, this.frame);
      const { width, height } = this.frame;
      this.placement.move(this.plane, this.frame, {
        x: width / 2 - (a * point.x + e),
        y: height / 2 - (d * point.y + f),
      });
    }
    this.update();
  }

  /** @param {number | null} lesionNumber */
  lesion(lesionNumber) {
    return this.data.lesions.find((lesion) => lesion.number === lesionNumber);
  }

  /** Outlines of the picture, the liver's as 0, else by the lesion's number. */
  get outlines() {
    return this.data.outlines[this.plane.name][this.index];
  }

  /** Numbers of the lesions in the picture. */
  get lesionsShown() {
    return Object.keys(this.outlines)
      .map(Number)
      .filter((each) => each > 0);
  }

  /**
   * The plane's point under a pixel of the frame.
   * @param {Point} pixel
   */
  pointAt(pixel) {
    return this.placement.pointAt(this.plane, this.frame, pixel);
  }

  /**
   * Number of the lesion at a pixel, in it or on its outline; the smallest of several; null for none.
   * @param {Point} pixel
   */
  lesionAt(pixel) {
    if (!this.showsOutlines) {
      return null;
    }
    const matrix = this.placement.matrix(this.plane, this.frame);
    const context = this.context;
    // The path goes through the canvas's transform, the point does not: it counts in the canvas's own dots.
    const { a: dots } = context.getTransform();
    const [x, y] = [dots * pixel.x, dots * pixel.y];
    const hits = this.lesionsShown.filter((each) => {
      const path = placed(this.outlines[each], matrix);
      context.lineWidth = 2 * CLICK_PIXELS;
      return context.isPointInPath(path, x, y, "evenodd") || context.isPointInStroke(path, x, y);
    });
    const area = (/** @type {number} */ each) => {
      const box = boundsOf(this.outlines[each]);
      return (box.right - box.left) * (box.bottom - box.top);
    };
    hits.sort((one, other) => area(one) - area(other));
    return hits[0] ?? null;
  }

  /** Where the picture lies, for people. */
  get where() {
    const shown = /** @type {Voxel} */ ([...this.place]);
    shown[this.plane.through] = this.index; // a click in another plane leaves a place between two slices
    const [right, anterior, superior] = this.rasOf(shown);
    if (this.plane.name === "axial") {
      const mm = number(superior, 1);
      const slice = this.data.numbers?.[this.index];
      return slice === undefined ? _("S {mm} mm", { mm }) : _("Slice {slice}, S {mm} mm", { slice, mm });
    }
    return this.plane.name === "coronal"
      ? _("Coronal, A {mm} mm", { mm: number(anterior, 1) })
      : _("Sagittal, R {mm} mm", { mm: number(right, 1) });
  }

  /**
   * A voxel in Slicer's coordinates, mm.
   * @param {Voxel} voxel
   */
  rasOf(voxel) {
    const { origin, spacing } = this.data;
    return [origin[0] - spacing[2] * voxel[2], origin[1] - spacing[1] * voxel[1], origin[2] + spacing[0] * voxel[0]];
  }

  draw() {
    const { canvas, context, plane, frame } = this;
    const dots = window.devicePixelRatio || 1;
    const width = Math.round(frame.width * dots);
    const height = Math.round(frame.height * dots);
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    context.setTransform(dots, 0, 0, dots, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, frame.width, frame.height);
    const matrix = this.placement.matrix(plane, frame);
    this.drawPicture(matrix);
    if (this.showsOutlines) {
      this.drawOutlines(matrix);
    }
    this.drawLetters(matrix);
    this.changed();
  }

  /** @param {Matrix} matrix */
  drawPicture(matrix) {
    const { plane, picture, volume, context } = this;
    const { width, height } = volume.sizeOf(plane);
    picture.width = width;
    picture.height = height;
    const into = /** @type {CanvasRenderingContext2D} */ (picture.getContext("2d"));
    const image = into.createImageData(width, height);
    volume.fill(plane, this.index, windowTable(volume.pictures, this.window), image.data);
    into.putImageData(image, 0, 0);
    context.drawImage(picture, matrix.e, matrix.f, 2 * plane.columns * matrix.a, 2 * plane.rows * matrix.d);
  }

  /** @param {Matrix} matrix */
  drawOutlines(matrix) {
    const { context, outlines, chosen } = this;
    context.lineJoin = "round";
    for (const [name, path] of Object.entries(outlines)) {
      if (Number(name) !== chosen) {
        context.strokeStyle = name === "0" ? COLOURS.liver : COLOURS.lesion;
        context.lineWidth = name === "0" ? 1.5 : 2;
        context.stroke(placed(path, matrix));
      }
    }
    const lesion = this.lesion(chosen);
    if (lesion && outlines[lesion.number]) {
      context.strokeStyle = COLOURS.chosen;
      context.lineWidth = 3.5;
      context.stroke(placed(outlines[lesion.number], matrix));
      this.drawDiameters(lesion, matrix);
    }
    for (const each of this.lesionsShown) {
      const box = boundsOf(outlines[each]);
      const colour = each === chosen ? COLOURS.chosen : COLOURS.text;
      this.write(String(each), matrix.a * box.right + matrix.e + 3, matrix.d * box.top + matrix.f - 2, "left", colour);
    }
  }

  /**
   * @param {Lesion} lesion
   * @param {Matrix} matrix
   */
  drawDiameters(lesion, matrix) {
    const { context, plane } = this;
    if (plane.name !== "axial" || Math.round((lesion.long[0][0] + lesion.long[1][0]) / 2) !== this.index) {
      return;
    }
    context.lineWidth = 1.5;
    for (const axis of [lesion.long, lesion.short]) {
      const [from, to] = axis.map((voxel) => plane.pointOf(voxel));
      context.beginPath();
      context.moveTo(matrix.a * from.x + matrix.e, matrix.d * from.y + matrix.f);
      context.lineTo(matrix.a * to.x + matrix.e, matrix.d * to.y + matrix.f);
      context.stroke();
    }
  }

  /** @param {Matrix} matrix */
  drawLetters(matrix) {
    const { context, frame, plane } = this;
    const { left, right, top, bottom } = plane.letters;
    const grey = "#c8c8c8";
    this.write(left, 8, frame.height / 2 + 5, "left", grey);
    this.write(right, frame.width - 8, frame.height / 2 + 5, "right", grey);
    this.write(top, frame.width / 2, 20, "center", grey);
    this.write(bottom, frame.width / 2, frame.height - 10, "center", grey);
    const pixelsPerMm = matrix.a / plane.mm.x;
    const mm = scaleBar(frame.width / pixelsPerMm);
    const length = mm * pixelsPerMm;
    context.fillStyle = "#000";
    context.fillRect(frame.width - 15 - length, frame.height - 16, length + 2, 4);
    context.fillStyle = "#fff";
    context.fillRect(frame.width - 14 - length, frame.height - 15, length, 2);
    this.write(
      mm < 10 ? `${mm} mm` : `${mm / 10} cm`,
      frame.width - 14 - length / 2,
      frame.height - 22,
      "center",
      "#fff",
    );
  }

  /**
   * A text with a dark halo, to be read on any tissue.
   * @param {string} text
   * @param {number} x
   * @param {number} y
   * @param {CanvasTextAlign} align
   * @param {string} colour
   */
  write(text, x, y, align, colour) {
    const context = this.context;
    context.font = "600 14px system-ui, sans-serif";
    context.textAlign = align;
    context.lineWidth = 3;
    context.strokeStyle = "#000";
    context.strokeText(text, x, y);
    context.fillStyle = colour;
    context.fillText(text, x, y);
  }
}

/** @typedef {{a: number, d: number, e: number, f: number}} Matrix */

/**
 * An outline in the frame's pixels.
 * @param {string} path
 * @param {Matrix} matrix
 */
function placed(path, matrix) {
  const moved = new Path2D();
  moved.addPath(new Path2D(path), new DOMMatrix([matrix.a, 0, 0, matrix.d, matrix.e, matrix.f]));
  return moved;
}
