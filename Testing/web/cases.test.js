import assert from "node:assert/strict";
import { test } from "node:test";
import { filtered, rowsInSight, sorted } from "../../LiverLesionCascade/Resources/Report/archive/cases.js";

/** @typedef {import("../../LiverLesionCascade/Resources/Report/archive/cases.js").Case} Case */

/** @param {Partial<Case>} values @returns {Case} */
function made(values) {
  return {
    name: "case",
    source: "a/b.nii.gz",
    state: "done",
    text: "",
    lesions: 0,
    liver: 1500,
    burden: 0,
    longest: null,
    doubt: 0,
    ...values,
  };
}

const CASES = [
  made({ source: "Müller/CT 10.nii.gz", burden: 12, lesions: 3, doubt: 1.5, text: "Small field of view." }),
  made({ source: "Müller/CT 9.nii.gz", burden: 0.5, lesions: 1, doubt: 0.4 }),
  made({ source: "broken.dcm", state: "failed", text: "Not a CT.", burden: null, lesions: null, doubt: null }),
  made({ source: "notes.txt", state: "left out", text: "No scan.", burden: null, lesions: null, doubt: null }),
];
const ALL = { text: "", state: "", from: Number.NaN, to: Number.NaN };

/** @param {Partial<typeof ALL>} filter */
const sources = (filter) => filtered(CASES, { ...ALL, ...filter }).map((each) => each.source);

test("without a filter all cases are listed", () => {
  assert.equal(sources({}).length, 4);
});

test("every word is looked for in name and reason, whatever its case", () => {
  assert.deepEqual(sources({ text: "müller ct" }), ["Müller/CT 10.nii.gz", "Müller/CT 9.nii.gz"]);
  assert.deepEqual(sources({ text: "MÜLLER field" }), ["Müller/CT 10.nii.gz"]);
  assert.deepEqual(sources({ text: "not a ct" }), ["broken.dcm"]);
});

test("names that a disk spells in other characters are found", () => {
  const cases = [made({ source: "Müller".normalize("NFD") })];
  for (const text of ["Müller", "müller".normalize("NFD")]) {
    assert.equal(filtered(cases, { ...ALL, text }).length, 1);
  }
});

test("the language of the computer is nothing to the search", (context) => {
  context.mock.method(String.prototype, "toLocaleLowerCase", () => "as in Turkish");
  assert.deepEqual(sources({ text: "MÜLLER FIELD" }), ["Müller/CT 10.nii.gz"]);
});

test("cases are chosen by their state and by doubt", () => {
  assert.deepEqual(sources({ state: "failed" }), ["broken.dcm"]);
  assert.deepEqual(sources({ state: "left out" }), ["notes.txt"]);
  assert.deepEqual(sources({ state: "doubtful" }), ["Müller/CT 10.nii.gz"]);
});

test("a limit of the tumour burden leaves out what has none", () => {
  assert.deepEqual(sources({ from: 1 }), ["Müller/CT 10.nii.gz"]);
  assert.deepEqual(sources({ to: 1 }), ["Müller/CT 9.nii.gz"]);
  assert.deepEqual(sources({ from: 13, to: 20 }), []);
});

test("numbers in names count as numbers, and missing values come last both ways", () => {
  const names = (/** @type {Case[]} */ cases) => cases.map((each) => each.source);
  assert.deepEqual(names(sorted(CASES, "source", 1)).slice(1, 3), ["Müller/CT 9.nii.gz", "Müller/CT 10.nii.gz"]);
  assert.deepEqual(names(sorted(CASES, "burden", 1)), [
    "Müller/CT 9.nii.gz",
    "Müller/CT 10.nii.gz",
    "broken.dcm",
    "notes.txt",
  ]);
  assert.equal(sorted(CASES, "burden", -1)[3].burden, null);
});

test("only rows in sight and a few beyond are made", () => {
  assert.deepEqual(rowsInSight(0, 720, 72, 10000), { first: 0, end: 16 });
  assert.deepEqual(rowsInSight(72000, 720, 72, 10000), { first: 994, end: 1016 });
  assert.deepEqual(rowsInSight(719280, 720, 72, 10000), { first: 9984, end: 10000 });
  assert.deepEqual(rowsInSight(0, 720, 72, 0), { first: 0, end: 0 });
});
