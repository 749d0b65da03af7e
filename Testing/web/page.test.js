import assert from "node:assert/strict";
import { test } from "node:test";
import { _, compare, number, translateTo } from "../../LiverLesionCascade/Resources/Report/page.js";

test("texts are translated, and their fields filled in once", () => {
  translateTo({ "Slice {slice}": "Schicht {slice}" });
  assert.equal(_("Slice {slice}", { slice: "{slice}" }), "Schicht {slice}");
  assert.equal(_("Lesion {lesion}", { lesion: 3 }), "Lesion 3");
  assert.equal(_("No {field}"), "No {field}");
});

test("numbers have real minus signs, no minus zero, and a dash where there is none", () => {
  assert.deepEqual(
    [number(-12.34, 1), number(-0.01, 1), number(null, 0), number(Number.NaN, 2)],
    ["−12.3", "0.0", "–", "–"],
  );
});

test("values are compared as numbers or as texts", () => {
  assert.ok(compare(9, 10, 1) < 0 && compare(9, 10, -1) > 0);
  assert.ok(compare("CT 9", "CT 10", 1) < 0);
  assert.ok(compare(null, 1, 1) > 0 && compare(null, 1, -1) > 0 && compare(null, null, 1) === 0);
});
