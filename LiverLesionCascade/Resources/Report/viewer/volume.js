// The scan in the liver's box: one grey value a voxel, decoded from the pictures in the page.

import { number } from "../page.js";

/** @typedef {import("./geometry.js").Plane} Plane */

/**
 * @typedef {object} Pictures
 * @property {number} rows of each picture; may be fewer than the voxels'
 * @property {number} columns
 * @property {number} low HU of grey value 0
 * @property {number} high HU of grey value 255
 * @property {string[]} slices base64, feet first
 */

/** So close to black and white a grey value may be one of all beyond: the pictures' compression changes that much. */
const END_GREYS = 10;

export class Volume {
  /** @param {Pictures} pictures */
  constructor(pictures) {
    this.pictures = pictures;
    this.values = new Uint8Array(pictures.slices.length * pictures.rows * pictures.columns);
    this.decoded = new Uint8Array(pictures.slices.length);
  }

  /** Whether all of a plane's picture is there.
   * @param {Plane} plane
   * @param {number} index
   */
  isReady(plane, index) {
    return plane.name === "axial" ? this.decoded[index] === 1 : this.decoded.every((each) => each === 1);
  }

  /**
   * Decodes all pictures, each time the one that is nearest to what is looked at. Rejects where the browser cannot.
   * @param {() => number} current gives the slice that is looked at
   * @param {(index: number) => void} ready called for each
   */
  async load(current, ready) {
    const left = new Set(this.pictures.slices.keys());
    const { rows, columns } = this.pictures;
    const canvas = document.createElement("canvas");
    canvas.width = columns;
    canvas.height = rows;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
    if (!readsWhatIsDrawn(context)) {
      throw new Error("The browser keeps pictures from the page.");
    }
    while (left.size > 0) {
      const index = nearest(left, current());
      left.delete(index);
      const bytes = Uint8Array.from(atob(this.pictures.slices[index]), (character) => character.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([bytes]), { colorSpaceConversion: "none" });
      context.drawImage(bitmap, 0, 0);
      bitmap.close();
      const { data } = context.getImageData(0, 0, columns, rows);
      const start = index * rows * columns;
      for (let pixel = 0; pixel < rows * columns; pixel++) {
        this.values[start + pixel] = data[4 * pixel + 1];
      }
      this.decoded[index] = 1;
      ready(index);
    }
  }

  /**
   * Size of a plane's picture in grey values.
   * @param {Plane} plane
   */
  sizeOf(plane) {
    const { rows, columns, slices } = this.pictures;
    const size = [slices.length, rows, columns];
    return { width: size[plane.across], height: size[plane.down] };
  }

  /**
   * Index of the grey value at a plane's pixel.
   * @param {Plane} plane
   * @param {number} index of the picture
   * @param {number} x
   * @param {number} y
   */
  valueIndex(plane, index, x, y) {
    const { rows, columns, slices } = this.pictures;
    const place = [0, 0, 0];
    const size = [slices.length, rows, columns];
    place[plane.through] = Math.min(
      Math.floor(((index + 0.5) * size[plane.through]) / plane.count),
      size[plane.through] - 1,
    );
    place[plane.across] = x;
    place[plane.down] = plane.name === "axial" ? y : slices.length - 1 - y;
    return (place[0] * rows + place[1]) * columns + place[2];
  }

  /**
   * Fills RGBA pixels with a plane's picture.
   * @param {Plane} plane
   * @param {number} index
   * @param {Uint8ClampedArray} table a grey value on the screen for each of the scan's
   * @param {Uint8ClampedArray} pixels
   */
  fill(plane, index, table, pixels) {
    const { width, height } = this.sizeOf(plane);
    const words = new Uint32Array(pixels.buffer);
    const colours = Uint32Array.from(table, (grey) => 0xff000000 | (grey << 16) | (grey << 8) | grey);
    const step = width > 1 ? this.valueIndex(plane, index, 1, 0) - this.valueIndex(plane, index, 0, 0) : 0;
    let pixel = 0;
    for (let y = 0; y < height; y++) {
      let place = this.valueIndex(plane, index, 0, y);
      for (let x = 0; x < width; x++) {
        words[pixel++] = colours[this.values[place]];
        place += step;
      }
    }
  }

  /**
   * Density at a point of a plane's picture; null outside.
   * @param {Plane} plane
   * @param {number} index
   * @param {{x: number, y: number}} point
   */
  huAt(plane, index, point) {
    const { width, height } = this.sizeOf(plane);
    const x = Math.floor((point.x / 2 / plane.columns) * width);
    const y = Math.floor((point.y / 2 / plane.rows) * height);
    if (x < 0 || y < 0 || x >= width || y >= height || !this.isReady(plane, index)) {
      return null;
    }
    const { low, high } = this.pictures;
    return low + (this.values[this.valueIndex(plane, index, x, y)] * (high - low)) / 255;
  }
}

/**
 * A density as it is printed: only a limit where the grey values end.
 * @param {number} hu
 * @param {{low: number, high: number}} range HU of the scan's grey values 0 and 255
 */
export function densityText(hu, range) {
  const end = (END_GREYS * (range.high - range.low)) / 255;
  const [low, high] = [range.low + end, range.high - end];
  const sign = hu <= low ? "≤ " : hu >= high ? "≥ " : "";
  return `${sign}${number(Math.min(Math.max(hu, low), high), 0)} HU`;
}

/**
 * The screen's grey value for each of the scan's.
 * @param {{low: number, high: number}} range HU of the scan's grey values 0 and 255
 * @param {{level: number, width: number}} window
 */
export function windowTable(range, window) {
  const table = new Uint8ClampedArray(256);
  const low = window.level - window.width / 2;
  for (let grey = 0; grey < 256; grey++) {
    const hu = range.low + (grey * (range.high - range.low)) / 255;
    table[grey] = (255 * (hu - low)) / window.width;
  }
  return table;
}

/**
 * Whether a canvas gives back what was drawn on it: where a browser guards against fingerprinting it may be made up, or
 * changed by a grey value or two, which does no harm.
 * @param {CanvasRenderingContext2D} context
 */
function readsWhatIsDrawn(context) {
  const grey = 90;
  context.fillStyle = `rgb(${grey}, ${grey}, ${grey})`;
  context.fillRect(0, 0, context.canvas.width, 1);
  const { data } = context.getImageData(0, 0, context.canvas.width, 1);
  return data.every((value, index) => index % 4 === 3 || Math.abs(value - grey) <= 2);
}

/**
 * The number that is closest to another.
 * @param {Iterable<number>} numbers at least one
 * @param {number} wanted
 */
function nearest(numbers, wanted) {
  let best = Number.NaN;
  for (const each of numbers) {
    if (!(Math.abs(each - wanted) >= Math.abs(best - wanted))) {
      best = each;
    }
  }
  return best;
}
