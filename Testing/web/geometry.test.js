import assert from "node:assert/strict";
import { test } from "node:test";
import {
  boundsOf,
  MOST_ZOOM,
  Placement,
  Plane,
  scaleBar,
} from "../../LiverLesionCascade/Resources/Report/viewer/geometry.js";

/** @typedef {import("../../LiverLesionCascade/Resources/Report/viewer/geometry.js").Voxel} Voxel */

const SIZE = [4, 6, 10];
const SPACING = [5, 1, 2];
const FRAME = { width: 400, height: 300 };

test("each plane has the pictures, columns and rows of its direction, in mm", () => {
  const sizes = /** @type {const} */ (["axial", "coronal", "sagittal"]).map((name) => {
    const plane = new Plane(name, SIZE, SPACING);
    return [plane.count, plane.columns, plane.rows, plane.width, plane.height];
  });
  assert.deepEqual(sizes, [
    [4, 10, 6, 20, 6],
    [6, 10, 4, 20, 20],
    [10, 6, 4, 6, 20],
  ]);
});

test("the head is above, the front above or on the left, the patient's right on the left", () => {
  const axial = new Plane("axial", SIZE, SPACING);
  assert.deepEqual(axial.pointOf([0, 0, 0]), { x: 1, y: 1 });
  const coronal = new Plane("coronal", SIZE, SPACING);
  assert.deepEqual(coronal.pointOf([3, 0, 0]), { x: 1, y: 1 });
  assert.deepEqual(coronal.pointOf([0, 0, 9]), { x: 19, y: 7 });
  const sagittal = new Plane("sagittal", SIZE, SPACING);
  assert.deepEqual(sagittal.pointOf([3, 5, 0]), { x: 11, y: 1 });
});

test("a voxel's point leads back to the voxel", () => {
  for (const name of /** @type {const} */ (["axial", "coronal", "sagittal"])) {
    const plane = new Plane(name, SIZE, SPACING);
    /** @type {Voxel} */
    const voxel = [2, 4, 7];
    assert.deepEqual(plane.voxelAt(plane.indexOf(voxel), plane.pointOf(voxel)), voxel);
  }
});

test("a picture number is kept within the stack", () => {
  const plane = new Plane("axial", SIZE, SPACING);
  assert.deepEqual(
    [-3, 1.6, 99].map((slice) => plane.indexOf([slice, 0, 0])),
    [0, 2, 3],
  );
});

test("a picture is fitted into the frame with its proportions", () => {
  const plane = new Plane("axial", SIZE, SPACING);
  const { a, d, e, f } = new Placement().matrix(plane, FRAME);
  assert.equal(2 * plane.columns * a, 400);
  assert.equal(2 * plane.rows * d, 120);
  assert.equal(a / plane.mm.x, d / plane.mm.y);
  assert.deepEqual([e, f], [0, 90]);
});

test("zooming keeps what lies under the pointer", () => {
  const plane = new Plane("axial", SIZE, SPACING);
  const placement = new Placement();
  placement.zoomAt(plane, FRAME, { x: 200, y: 150 }, 4);
  const pixel = { x: 250, y: 140 };
  const before = placement.pointAt(plane, FRAME, pixel);
  placement.zoomAt(plane, FRAME, pixel, 2);
  const after = placement.pointAt(plane, FRAME, pixel);
  assert.ok(Math.hypot(after.x - before.x, after.y - before.y) < 1e-9);
  assert.equal(placement.zoom, 8);
});

test("zoom has ends, and a fitted picture cannot be moved away", () => {
  const plane = new Plane("axial", SIZE, SPACING);
  const placement = new Placement();
  placement.zoomAt(plane, FRAME, { x: 0, y: 0 }, 1e9);
  assert.equal(placement.zoom, MOST_ZOOM);
  placement.move(plane, FRAME, { x: 1e9, y: -1e9 });
  assert.ok(placement.centre.x >= 0 && placement.centre.y <= 1);
  placement.zoomAt(plane, FRAME, { x: 0, y: 0 }, 1e-9);
  placement.move(plane, FRAME, { x: 50, y: 50 });
  assert.deepEqual([placement.zoom, placement.centre], [1, { x: 0.5, y: 0.5 }]);
});

test("the box of an outline holds all its corners", () => {
  const path = "M3 2h2l1 1v2l-1 1h-2l-1 -1v-2zM7 6l1 1l-1 1l-1 -1z";
  assert.deepEqual(boundsOf(path), { left: 2, top: 2, right: 8, bottom: 8 });
});

test("the scale bar is round and no longer than a third of the picture", () => {
  assert.deepEqual([400, 200, 65, 10, 2].map(scaleBar), [100, 50, 20, 2, 0]);
});
