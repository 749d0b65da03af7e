// Where voxels lie in the three planes, and planes on the screen. Free of the document.

/**
 * Slice, row and column from feet to head, front to back and right to left; whole numbers are voxels' middles.
 * @typedef {[number, number, number]} Voxel
 * @typedef {"axial" | "coronal" | "sagittal"} PlaneName
 * @typedef {{x: number, y: number}} Point
 */

/** Axis of the voxels that each plane is stacked along, those across and down it, and the letters at its edges. */
const PLANES = {
  axial: { through: 0, across: 2, down: 1, letters: { left: "R", right: "L", top: "A", bottom: "P" } },
  coronal: { through: 1, across: 2, down: 0, letters: { left: "R", right: "L", top: "S", bottom: "I" } },
  sagittal: { through: 2, across: 1, down: 0, letters: { left: "A", right: "P", top: "S", bottom: "I" } },
};

/** A stack of parallel pictures. Their points are in half voxels from the upper left corner, as outlines are. */
export class Plane {
  /**
   * @param {PlaneName} name
   * @param {number[]} size of the box in voxels
   * @param {number[]} spacing in mm
   */
  constructor(name, size, spacing) {
    const { through, across, down, letters } = PLANES[name];
    this.name = name;
    this.through = through;
    this.across = across;
    this.down = down;
    this.letters = letters;
    /** @type {number} */
    this.count = size[through];
    this.columns = size[across];
    this.rows = size[down];
    /** Of half a voxel. */
    this.mm = { x: spacing[across] / 2, y: spacing[down] / 2 };
  }

  /** The picture's width in mm. */
  get width() {
    return 2 * this.columns * this.mm.x;
  }

  get height() {
    return 2 * this.rows * this.mm.y;
  }

  /**
   * The picture in which a voxel lies.
   * @param {Voxel} voxel
   */
  indexOf(voxel) {
    return Math.min(Math.max(Math.round(voxel[this.through]), 0), this.count - 1);
  }

  /**
   * @param {Voxel} voxel
   * @returns {Point}
   */
  pointOf(voxel) {
    const row = this.name === "axial" ? voxel[this.down] : this.rows - 1 - voxel[this.down];
    return { x: 2 * voxel[this.across] + 1, y: 2 * row + 1 };
  }

  /**
   * @param {number} index of the picture
   * @param {Point} point
   * @returns {Voxel}
   */
  voxelAt(index, point) {
    const row = (point.y - 1) / 2;
    /** @type {Voxel} */
    const voxel = [0, 0, 0];
    voxel[this.through] = index;
    voxel[this.across] = (point.x - 1) / 2;
    voxel[this.down] = this.name === "axial" ? row : this.rows - 1 - row;
    return voxel;
  }
}

export const MOST_ZOOM = 16;

/** How a picture lies in the frame: fitted into it, then zoomed and moved. */
export class Placement {
  zoom = 1;
  /** What lies in the middle of the frame, as shares of the picture's width and height. */
  centre = { x: 0.5, y: 0.5 };

  reset() {
    this.zoom = 1;
    this.centre = { x: 0.5, y: 0.5 };
  }

  /**
   * Scale and shift from the plane's points to the frame's pixels.
   * @param {Plane} plane
   * @param {{width: number, height: number}} frame
   */
  matrix(plane, frame) {
    const pixels = this.zoom * Math.min(frame.width / plane.width, frame.height / plane.height);
    return {
      a: pixels * plane.mm.x,
      d: pixels * plane.mm.y,
      e: frame.width / 2 - this.centre.x * pixels * plane.width,
      f: frame.height / 2 - this.centre.y * pixels * plane.height,
    };
  }

  /**
   * The plane's point at a pixel of the frame.
   * @param {Plane} plane
   * @param {{width: number, height: number}} frame
   * @param {Point} pixel
   * @returns {Point}
   */
  pointAt(plane, frame, pixel) {
    const { a, d, e, f } = this.matrix(plane, frame);
    return { x: (pixel.x - e) / a, y: (pixel.y - f) / d };
  }

  /**
   * Magnifies; what lies at the pixel stays there.
   * @param {Plane} plane
   * @param {{width: number, height: number}} frame
   * @param {Point} pixel
   * @param {number} factor
   */
  zoomAt(plane, frame, pixel, factor) {
    const fixed = this.pointAt(plane, frame, pixel);
    this.zoom = Math.min(Math.max(this.zoom * factor, 1), MOST_ZOOM);
    const { a, d, e, f } = this.matrix(plane, frame);
    this.move(plane, frame, { x: pixel.x - (a * fixed.x + e), y: pixel.y - (d * fixed.y + f) });
  }

  /**
   * Moves the picture by pixels, never further than its middle half leaves the frame.
   * @param {Plane} plane
   * @param {{width: number, height: number}} frame
   * @param {Point} pixels
   */
  move(plane, frame, pixels) {
    const { a, d } = this.matrix(plane, frame);
    const reach = 0.5 * (1 - 1 / this.zoom);
    const within = (/** @type {number} */ share) => Math.min(Math.max(share, 0.5 - reach), 0.5 + reach);
    this.centre = {
      x: within(this.centre.x - pixels.x / (2 * plane.columns * a)),
      y: within(this.centre.y - pixels.y / (2 * plane.rows * d)),
    };
  }
}

/**
 * Corners of an outline's box, in the unit of its path.
 * @param {string} path M, h, v, l and z only, all but M relative
 */
export function boundsOf(path) {
  const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  let x = 0;
  let y = 0;
  for (const [, command, first, second] of path.matchAll(/([Mhvl])(-?\d+)(?: (-?\d+))?/g)) {
    const a = Number(first);
    const b = Number(second ?? 0);
    if (command === "M") {
      [x, y] = [a, b];
    } else {
      x += command === "v" ? 0 : a;
      y += command === "v" ? a : b;
    }
    box.left = Math.min(box.left, x);
    box.right = Math.max(box.right, x);
    box.top = Math.min(box.top, y);
    box.bottom = Math.max(box.bottom, y);
  }
  return box;
}

/**
 * A length for the scale bar, in mm: the longest round one that takes no more than a third of the width.
 * @param {number} widthMm of what is seen
 */
export function scaleBar(widthMm) {
  return [100, 50, 20, 10, 5, 2, 1].find((mm) => mm <= widthMm / 3) ?? 0;
}
