"""Writes measured figures into the documentation, so that nobody copies one by hand.

    command | python Testing/tools/write_figures.py PAGE BLOCK     also prints what it writes
    python Testing/tools/write_figures.py                          the README's, from the shipped bundle

A block of a page stands between ``<!-- BLOCK -->`` and ``<!-- end of BLOCK -->``.
"""

import json
import re
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
README = REPOSITORY / "README.md"
BUNDLE = REPOSITORY / "LiverLesionCascade" / "Resources" / "Bundles" / "lits-compact" / "metadata.json"


def with_block(page: str, name: str, text: str) -> str:
    """The page with a block's text replaced. Raises ValueError where it has no such block, or several."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f"The page should have one block between {begin.strip()} and {end}")
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    return pattern.sub(lambda _: begin + text.strip() + "\n" + end, page)


def readme_figures(metadata: dict) -> str:
    """The README's figures of a bundle, from those that were recorded in it."""
    validation, crossed = metadata["validation"], metadata["cross_validation"]
    cases = validation["cases"]
    lesions, found, false = (sum(case[key] for case in cases) for key in ("lesions", "found", "false_positives"))
    with_lesions = sum(case["lesion_dice"] is not None for case in cases)
    rows = [
        (f"liver Dice, mean of {len(cases)}", f"{validation['liver_dice']:.3f}"),
        (f"lesion Dice, mean of the {with_lesions} with lesions", f"{validation['lesion_dice']:.3f}"),
        ("lesions found", f"{found} of {lesions}"),
        ("false lesions a scan", f"{false / len(cases):.1f}"),
        (f"lesion Dice in a cross-validation, {crossed['scans']} scans", f"{crossed['lesion_dice']:.3f}"),
    ]
    head = f"| patients that it was not trained on ({metadata['name']} {metadata['version']}) | |\n|---|---:|\n"
    return head + "\n".join(f"| {name} | {value} |" for name, value in rows)


def main(arguments: list[str]) -> None:
    if arguments:
        page, name = Path(arguments[0]), arguments[1]
        text = sys.stdin.read()
        print(text, end="")
        if not text.strip():
            raise SystemExit(f"error: nothing was measured, {page} stays as it is")
    else:
        page, name, text = README, "figures", readme_figures(json.loads(BUNDLE.read_text(encoding="utf-8")))
    page.write_text(with_block(page.read_text(encoding="utf-8"), name, text), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
