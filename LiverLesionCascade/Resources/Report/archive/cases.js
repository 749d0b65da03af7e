// The cases of an archive: which are listed, in which order. Free of the document.

import { compare } from "../page.js";

/**
 * @typedef {object} Case
 * @property {string} name of its folder, as in an address
 * @property {string} source
 * @property {"done" | "failed" | "left out"} state
 * @property {string} text why it failed, or what is to be looked at
 * @property {number | null} lesions
 * @property {number | null} liver mL
 * @property {number | null} burden %
 * @property {number | null} longest mm
 * @property {number | null} doubt score; 0 for none
 *
 * @typedef {object} Filter
 * @property {string} text all words of it have to be in the source or the text
 * @property {string} state one of the cases' states, "doubtful", or "" for all
 * @property {number} from % of the liver; NaN for no limit
 * @property {number} to
 */

/** From this score on a case is doubtful: one warning, or as much as one. */
export const DOUBTFUL = 1;

/**
 * @param {Case[]} cases
 * @param {Filter} filter
 */
export function filtered(cases, filter) {
  const words = comparable(filter.text).split(/\s+/).filter(Boolean);
  const isLimited = !Number.isNaN(filter.from) || !Number.isNaN(filter.to);
  return cases.filter((each) => {
    if (filter.state === "doubtful" ? !((each.doubt ?? 0) >= DOUBTFUL) : filter.state && each.state !== filter.state) {
      return false;
    }
    if (isLimited && (each.burden === null || each.burden < filter.from || each.burden > filter.to)) {
      return false;
    }
    const text = words.length > 0 ? comparable(`${each.source}\n${each.text}`) : "";
    return words.every((word) => text.includes(word));
  });
}

/**
 * A text as it is searched: in small letters, the same in every language, and ü as one character, of which some disks
 * make two.
 * @param {string} text
 */
function comparable(text) {
  return text.normalize("NFC").toLowerCase();
}

/**
 * A sorted copy; equal cases keep their order.
 * @param {Case[]} cases
 * @param {keyof Case} key
 * @param {1 | -1} direction
 */
export function sorted(cases, key, direction) {
  return [...cases].sort((a, b) => compare(a[key], b[key], direction));
}

/**
 * The rows to be made: those in sight and some beyond.
 * @param {number} top of what is in sight, in pixels
 * @param {number} height of it
 * @param {number} rowHeight
 * @param {number} count of all rows
 */
export function rowsInSight(top, height, rowHeight, count) {
  const beyond = 6;
  const first = Math.min(Math.max(Math.floor(top / rowHeight) - beyond, 0), Math.max(count - 1, 0));
  return { first, end: Math.min(Math.ceil((top + height) / rowHeight) + beyond, count) };
}
