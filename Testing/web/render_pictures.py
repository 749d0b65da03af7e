"""Renders the pictures of the pages in the documentation, of the sample CT alone, by Chromium.

make install-browser && .venv/bin/python Testing/web/render_pictures.py
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

import SimpleITK as sitk
from LiverLesionCascadeLib.cli import main as command
from LiverLesionCascadeLib.sample import fetch_sample
from PIL import Image
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent))

from conftest import NARROW, WIDE, _start

SCREENSHOTS = Path(__file__).resolve().parents[2] / "Resources" / "Screenshots"
PAPER = {"width": 794, "height": 1123}  # A4


def make_archive(folder: Path, sample: Path) -> Path:
    """Results of the sample, of three parts of it, and of a file that is none."""
    scans = folder / "scans"
    scans.mkdir()
    image = sitk.ReadImage(str(sample))
    depth = image.GetDepth()
    parts = {"whole": (0, depth), "upper part": (depth // 3, depth), "lower part": (0, 2 * depth // 3)}
    for name, (first, end) in parts.items():
        sitk.WriteImage(image[:, :, first:end], str(scans / f"sample, {name}.nii.gz"))
    (scans / "damaged.nii.gz").write_bytes(sample.read_bytes()[:100_000])
    if command(["archive", str(scans), str(folder / "results"), "--workers", "1"]) != 3:  # one case fails
        raise SystemExit("The archive could not be segmented")
    return folder / "results" / "summary.html"


def shoot(page: Page, name: str) -> None:
    page.wait_for_timeout(3000)
    picture = Image.open(io.BytesIO(page.screenshot()))
    path = SCREENSHOTS / f"{name}.png"
    picture.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)
    print(path)


def work_with_report(page: Page) -> None:
    page.locator('tr[data-lesion="3"]').click()
    page.locator("#viewer").scroll_into_view_if_needed()
    page.evaluate("() => document.querySelector('#viewer').scrollIntoView()")


def work_with_summary(page: Page) -> None:
    page.evaluate("() => document.querySelector('#cases').scrollIntoView()")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        sample = fetch_sample(Path(folder)).image
        summary = make_archive(Path(folder), sample)
        (report,) = Path(folder, "results", "cases").glob("*whole*/report.html")
        browser = _start(driver, "chromium", {})
        for name, path, work in (("report", report, work_with_report), ("summary", summary, work_with_summary)):
            for kind, options in (
                ("light", {"viewport": WIDE}),
                ("dark", {"viewport": WIDE, "color_scheme": "dark"}),
                ("narrow", {"viewport": NARROW}),
            ):
                page = browser.new_page(**options)
                page.goto(path.as_uri())
                work(page)
                shoot(page, f"{name}-{kind}")
                page.close()
            page = browser.new_page(viewport=PAPER)
            page.goto(path.as_uri())
            page.emulate_media(media="print")
            shoot(page, f"{name}-print")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
