import assert from "node:assert/strict";
import { test } from "node:test";
import { Plane } from "../../LiverLesionCascade/Resources/Report/viewer/geometry.js";
import { densityText, Volume, windowTable } from "../../LiverLesionCascade/Resources/Report/viewer/volume.js";

const NAMES = /** @type {const} */ (["axial", "coronal", "sagittal"]);

/** Slices, rows and columns of 3, 4 and 5 with the values 0 to 59. */
function volume() {
  const made = new Volume({ rows: 4, columns: 5, low: -200, high: 310, slices: ["", "", ""] });
  made.values.set(made.values.map((_value, index) => index));
  made.decoded.fill(1);
  return made;
}

/** A voxel's value. @param {number} slice @param {number} row @param {number} column */
const at = (slice, row, column) => 20 * slice + 5 * row + column;

test("all three planes show their voxels in their places", () => {
  const made = volume();
  const identity = Uint8ClampedArray.from({ length: 256 }, (_value, index) => index);
  for (const name of NAMES) {
    const plane = new Plane(name, [3, 4, 5], [1, 1, 1]);
    const { width, height } = made.sizeOf(plane);
    assert.deepEqual([width, height], [plane.columns, plane.rows]);
    const pixels = new Uint8ClampedArray(4 * width * height);
    made.fill(plane, 2, identity, pixels);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const voxel = plane.voxelAt(2, { x: 2 * x + 1, y: 2 * y + 1 });
        const grey = at(voxel[0], voxel[1], voxel[2]);
        const start = 4 * (y * width + x);
        assert.deepEqual([...pixels.slice(start, start + 4)], [grey, grey, grey, 255]);
      }
    }
  }
});

test("pictures smaller than the scan fill the same place", () => {
  const made = volume();
  const plane = new Plane("sagittal", [3, 8, 10], [1, 1, 1]);
  assert.equal(made.valueIndex(plane, 9, 0, 0), at(2, 0, 4));
  assert.equal(made.huAt(plane, 9, { x: 15, y: 5 }), -200 + 2 * at(0, 3, 4));
});

test("a density is that of the voxel, and none outside or before it is decoded", () => {
  const made = volume();
  const plane = new Plane("axial", [3, 4, 5], [1, 1, 1]);
  assert.equal(made.huAt(plane, 1, { x: 3, y: 5 }), -200 + 2 * at(1, 2, 1));
  assert.equal(made.huAt(plane, 1, { x: -1, y: 5 }), null);
  assert.equal(made.huAt(plane, 1, { x: 3, y: 8.5 }), null);
  made.decoded[1] = 0;
  assert.equal(made.huAt(plane, 1, { x: 3, y: 5 }), null);
  assert.equal(made.isReady(new Plane("coronal", [3, 4, 5], [1, 1, 1]), 0), false);
});

test("where the grey values end a density is said to be a limit", () => {
  const range = { low: -200, high: 310 };
  assert.equal(densityText(-170, range), "−170 HU");
  assert.equal(densityText(-0.3, range), "0 HU");
  assert.equal(densityText(280, range), "280 HU");
  assert.deepEqual(
    [-200, -190, -180].map((hu) => densityText(hu, range)),
    Array(3).fill("≤ −180 HU"),
  );
  assert.deepEqual(
    [290, 300, 310].map((hu) => densityText(hu, range)),
    Array(3).fill("≥ 290 HU"),
  );
});

test("a window goes from black to white around its level", () => {
  const table = windowTable({ low: 0, high: 255 }, { level: 100, width: 50 });
  assert.deepEqual([table[0], table[75], table[100], table[125], table[255]], [0, 0, 128, 255, 255]);
});
