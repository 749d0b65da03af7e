"""``liver-lesion-cascade segment``: a CT in, segmentation, lesion table and report out."""

from __future__ import annotations

import argparse
import math
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine.errors import CancelledError
from ..outputs.dicom_outputs import FAILED, require_dicom
from ..outputs.output_folder import OutputFolder
from ..outputs.result_files import DICOM_FILES, OUTPUT_FILES, REPORTS, summary, write_outputs
from .cancellation import cancellable
from .console import ProgressBar, print_json, say, standard_output_kept_free, whole_number

if TYPE_CHECKING:
    from ..engine.results.result import SegmentationResult
    from ..engine.run_options import RunOptions
    from ..engine.scan.ct_volume import CTVolume
    from ..engine.segmenter import Segmenter

    #: Makes a segmenter from a bundle's folder (None: the shipped bundle) and the name of a device.
    SegmenterFactory = Callable[[str | None, str], Segmenter]

#: Exit code where everything but the DICOM files was written.
INCOMPLETE = 5

# Shares of the progress bar; the segmentation itself has what is left.
_READING, _WRITING = 0.04, 0.06


def add_segment_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input", nargs="+", type=Path, metavar="INPUT",
        help="a NIfTI, NRRD or MHA file, a DICOM folder, or the DICOM files of one series",
    )  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="folder for the results")
    parser.add_argument("--force", action="store_true", help="replace results that are in the folder already")
    parser.add_argument("--series", metavar="UID", help="DICOM series to take, where a folder holds several")
    parser.add_argument(
        "--acquisition", metavar="N",
        help="acquisition (pass, phase) to take, where a DICOM series holds several; all: they are one scan",
    )  # fmt: skip
    parser.add_argument(
        "--fill-gaps", type=whole_number("a number of slices (0 or more)", 0), default=0, metavar="N",
        help="interpolate up to N slices that are missing in a row (default: 0, incomplete series are refused)",
    )  # fmt: skip
    parser.add_argument(
        "--dicom", action="store_true",
        help=f"write a DICOM SEG and SR too, {' and '.join(DICOM_FILES)}; for DICOM input, needs highdicom",
    )  # fmt: skip
    add_processing_arguments(parser)


def add_processing_arguments(parser: argparse.ArgumentParser) -> None:
    """How scans are segmented, and what is said; for one scan or many."""
    parser.add_argument("--probabilities", action="store_true", help="write the liver and lesion probability maps too")
    parser.add_argument(
        "--report", choices=REPORTS, default=REPORTS[0],
        help="full (default): all slices of the liver to scroll through, at most 12 MB; light: only the key images",
    )  # fmt: skip
    parser.add_argument(
        "--preset", choices=("fast", "paper"), default="fast",
        help="fast (default): one scale, slices skipped where the scan is thin, implausible parts left out; "
        "paper: every slice at five scales, hole filling only, as published",
    )  # fmt: skip
    parser.add_argument(
        "--device", default="auto", metavar="NAME", help="auto (default), cpu, cuda, cuda:1 ..., or mps"
    )
    parser.add_argument("--bundle", type=Path, metavar="FOLDER", help="model bundle to use instead of the shipped one")
    parser.add_argument(
        "--multi-scale", action="store_true", help="look for lesions at the paper's five scales, whatever the preset"
    )
    parser.add_argument("--crf", action="store_true", help="fit the outlines to the image by the paper's 3D-CRF; slow")
    rules = parser.add_argument_group("post-processing", "each rule of the preset can be changed")
    rules.add_argument(
        "--min-lesion-mm", type=_diameter, metavar="MM",
        help="leave out lesions with a smaller equivalent diameter; 0 keeps all",
    )  # fmt: skip
    for name, what in (
        ("fill-holes", "fill holes in liver and lesions, slice by slice"),
        ("largest-liver", "keep only the largest part of the liver"),
        ("lesions-inside-liver", "leave out lesions that lie mostly outside the liver"),
        ("reject-unlikely", "leave out lesions that the bundle's filter, where it has one, finds unlikely"),
        ("split-lesions", "tell lesions apart that have grown together"),
    ):
        rules.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=None, help=what)
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output, for scripts")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bar and no remarks, only errors")


def run_segment(arguments: argparse.Namespace, make_segmenter: SegmenterFactory | None = None) -> int:
    """Run the command and return 0. Raises CascadeError, of which CancelledError for Ctrl-C and the like."""
    from ..engine.loading import load_segmenter

    try:
        return _segment(arguments, make_segmenter or load_segmenter)
    except KeyboardInterrupt as error:
        raise CancelledError("The segmentation was cancelled; nothing was written") from error


def _segment(arguments: argparse.Namespace, make_segmenter: SegmenterFactory) -> int:
    options = options_from(arguments)
    with cancellable() as cancelled, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # libraries' remarks on headers; ours are findings
        names = OUTPUT_FILES + DICOM_FILES
        with standard_output_kept_free(), OutputFolder(arguments.output, names, arguments.force) as output:
            with ProgressBar(arguments.quiet) as progress:
                progress(0.0, "Reading")
                started = time.perf_counter()
                ct = _read(arguments)
                if arguments.dicom:
                    require_dicom(ct)
                reading = time.perf_counter() - started
                segmenter = make_segmenter(options.bundle, options.device)

                def show(fraction: float, stage: str) -> None:
                    progress(_READING + (1 - _READING - _WRITING) * fraction, stage)

                result = segmenter.segment(ct, options.resolved_preset(), show, cancelled.is_set)
                result.timings = {"reading": reading, **result.timings}
                progress(1 - _WRITING, "Writing")
                name = _input_name(arguments.input)
                write_outputs(
                    ct, result, output.staging, name, arguments.probabilities, arguments.dicom, arguments.report
                )
            written = output.commit()
        for finding in result.findings:
            if finding.code == FAILED:  # the exit code says that something is missing: this is what
                say(finding.message, "error")
            elif not arguments.quiet:
                say(finding.message, "note" if finding.severity == "info" else finding.severity)
        if arguments.json:
            print_json(summary(ct, result, arguments.input, written))
        elif not arguments.quiet:
            print(_sentence(ct, result))
            for path in written:
                print(f"  {path}")
    return INCOMPLETE if any(finding.code == FAILED for finding in result.findings) else 0


def options_from(arguments: argparse.Namespace) -> RunOptions:
    """The choices of a run; its rules are the preset's with the changes that were asked for, if any."""
    from ..engine.passes.presets import PRESETS
    from ..engine.run_options import RunOptions

    asked = {
        "fill_holes": arguments.fill_holes,
        "largest_liver_component": arguments.largest_liver,
        "lesions_inside_liver": arguments.lesions_inside_liver,
        "reject_unlikely_lesions": arguments.reject_unlikely,
        "split_lesions": arguments.split_lesions,
        "min_lesion_mm": arguments.min_lesion_mm,
    }
    changes: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    return RunOptions(
        preset=arguments.preset,
        device=arguments.device,
        bundle=None if arguments.bundle is None else str(arguments.bundle),
        multi_scale=arguments.multi_scale,
        crf=arguments.crf,
        postprocessing=replace(PRESETS[arguments.preset].postprocessing, **changes) if changes else None,
        keep_probabilities=arguments.probabilities,
    )


def _read(arguments: argparse.Namespace) -> CTVolume:
    import SimpleITK

    from ..engine.scan.image_io import read_input

    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    return read_input(arguments.input, arguments.series, arguments.acquisition, arguments.fill_gaps)


def _input_name(inputs: list[Path]) -> str:
    path = inputs[0].resolve()
    return path.name if len(inputs) == 1 or path.is_dir() else path.parent.name


def _sentence(ct: CTVolume, result: SegmentationResult) -> str:
    from ..engine.reports.html_report import tumour_burden

    count = len(result.table)
    burden = tumour_burden(result)
    if burden is None:
        return f"No liver was found; {_what_was_read(ct)}"
    lesions = f"{count} lesion{'' if count == 1 else 's'}" if count else "no lesions"
    share = f", {result.lesion_volume_ml:.1f} mL ({burden:.1f} % of the liver)" if count else ""
    found = f"Liver {result.liver_volume_ml:.0f} mL, {lesions}{share}"
    return f"{found}; {_what_was_read(ct)}; {sum(result.timings.values()):.1f} s"


def _what_was_read(ct: CTVolume) -> str:
    """Which scan, and which part of the body by its slices: what is wrong with a result is often that."""
    from ..engine.grid.geometry import axial_order

    slices = len(ct.slices) or ct.source.shape[axial_order(ct.source).axes[0]]
    low = ct.geometry.origin[2]
    high = low + (ct.hu.shape[0] - 1) * ct.spacing[0]
    made_up = " (some interpolated)" if any(note.code == "filled_gaps" for note in ct.notes) else ""
    return f"{ct.name}, {slices} slices{made_up} from z = {low:.1f} to {high:.1f} mm"


def _diameter(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a diameter in mm (0 or more)")
    return value
