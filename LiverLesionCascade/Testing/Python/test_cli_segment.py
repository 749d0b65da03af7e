"""``liver-lesion-cascade segment``: what it writes, what it says, and that it leaves nothing behind."""

import argparse
import csv
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from fixtures.phantom import PhantomSegmenter, phantom_hu, write_phantom
from LiverLesionCascadeLib.cli import main
from LiverLesionCascadeLib.commands import segment as command
from LiverLesionCascadeLib.commands.segment import add_processing_arguments, options_from
from LiverLesionCascadeLib.engine.errors import BundleError, DeviceError, OutputError
from LiverLesionCascadeLib.engine.passes.presets import PAPER_SCALES, PRESETS
from LiverLesionCascadeLib.outputs.output_folder import OutputFolder

REQUIRED = ["lesions.csv", "report.html", "segmentation.seg.nrrd"]
PYTHON_PATH = os.pathsep.join(sys.path)


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    folder = tmp_path / "Übung 1"
    folder.mkdir()
    return write_phantom(folder / "größe ä.nii.gz")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def run(*words: object, segmenter: PhantomSegmenter | None = None) -> int:
    return main(["segment", *map(str, words)], segmenter or PhantomSegmenter())


def test_writes_segmentation_table_and_report_into_a_new_folder_with_umlauts_and_spaces(scan, tmp_path, capsys):
    out = tmp_path / "Ergebnis für Größe" / "neu"

    assert run(scan, "-o", out) == 0

    assert names(out) == REQUIRED
    assert "2 lesions" in capsys.readouterr().out
    with (out / "lesions.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["lesion"] for row in rows] == ["1", "2"]
    assert "größe ä.nii.gz" in (out / "report.html").read_text(encoding="utf-8")


def test_the_written_segmentation_lies_on_the_scan_and_holds_what_was_found(scan, tmp_path):
    assert run(scan, "-o", tmp_path / "out", "-q") == 0

    image = sitk.ReadImage(str(tmp_path / "out" / "segmentation.seg.nrrd"))
    assert image.GetMetaData("Segment0_Name") == "Liver"
    assert image.GetMetaData("Segment2_Name") == "Lesion 2"
    array = sitk.GetArrayFromImage(image)
    first = np.round(np.array(image.GetOrigin()) - (-130, -100, 500)) / (2, 2, 3)
    i, j, k = first.astype(int)
    lesions = np.zeros(phantom_hu().shape, bool)
    layer = array[..., 1]
    lesions[k : k + layer.shape[0], j : j + layer.shape[1], i : i + layer.shape[2]] = layer > 0
    expected = np.abs(phantom_hu() - 30) < 10
    assert np.array_equal(lesions, expected)


def test_probability_maps_are_written_on_the_scans_grid_when_asked(scan, tmp_path):
    assert run(scan, "-o", tmp_path / "out", "--probabilities", "-q") == 0

    assert names(tmp_path / "out") == sorted([*REQUIRED, "lesion-probability.nrrd", "liver-probability.nrrd"])
    image = sitk.ReadImage(str(tmp_path / "out" / "lesion-probability.nrrd"))
    reference = sitk.ReadImage(str(scan))
    assert image.GetSize() == reference.GetSize()
    assert np.allclose(image.GetOrigin(), reference.GetOrigin(), atol=1e-3)
    assert sitk.GetArrayFromImage(image).max() == pytest.approx(0.9, abs=1e-3)


def test_the_report_can_be_scrolled_unless_a_light_one_is_asked_for(scan, tmp_path):
    for kind, has_viewer in (((), True), (("--report", "light"), False)):
        assert run(scan, "-o", tmp_path / str(has_viewer), *kind, "-q") == 0
        report = (tmp_path / str(has_viewer) / "report.html").read_text(encoding="utf-8")
        assert ('id="viewer"' in report) is has_viewer and "data:image/jpeg" in report


def test_existing_results_are_refused_before_the_run_and_kept(scan, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    (out / "lesions.csv").write_text("mine")
    segmenter = PhantomSegmenter()

    assert run(scan, "-o", out, segmenter=segmenter) == 5

    assert segmenter.preset is None  # never asked
    assert (out / "lesions.csv").read_text() == "mine" and names(out) == ["lesions.csv"]
    error = capsys.readouterr().err
    assert error.startswith("error: ") and "--force" in error and error.count("\n") == 1


def test_force_replaces_an_earlier_result_as_a_whole_and_keeps_other_files(scan, tmp_path):
    out = tmp_path / "out"
    assert run(scan, "-o", out, "--probabilities", "-q") == 0
    (out / "notes.txt").write_text("mine")
    (out / "lesions.csv").write_text("old")

    assert run(scan, "-o", out, "--force", "-q") == 0

    assert names(out) == sorted([*REQUIRED, "notes.txt"])
    assert (out / "lesions.csv").read_text() != "old"


@pytest.mark.parametrize(
    "fail", [RuntimeError("boom"), DeviceError("no memory"), BundleError("bad"), KeyboardInterrupt()]
)
def test_a_failed_run_leaves_no_file_and_no_folder(scan, tmp_path, fail, capsys):
    before = names(tmp_path)

    code = run(scan, "-o", tmp_path / "a" / "b", segmenter=PhantomSegmenter(fail=fail))

    expected = {RuntimeError: 1, DeviceError: 6, BundleError: 4, KeyboardInterrupt: 130}[type(fail)]
    assert code == expected
    assert names(tmp_path) == before
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.endswith("...")]
    assert len(lines) == 1 and lines[0].startswith("error: ")


@pytest.mark.parametrize(
    "fail",
    [
        MemoryError(),
        RuntimeError(
            "DefaultCPUAllocator: can't allocate memory: you tried to allocate 8000000000 bytes. Error code 12"
        ),
    ],
)
def test_too_little_memory_is_no_error_to_report(scan, tmp_path, fail, capsys):
    assert run(scan, "-o", tmp_path / "out", segmenter=PhantomSegmenter(fail=fail)) == 1
    said = capsys.readouterr().err
    assert "error: The computer has too little free memory" in said
    assert "report" not in said


def test_a_failed_run_with_force_keeps_the_earlier_result(scan, tmp_path):
    out = tmp_path / "out"
    assert run(scan, "-o", out, "-q") == 0
    before = {name: (out / name).read_bytes() for name in names(out)}

    assert run(scan, "-o", out, "--force", "-q", segmenter=PhantomSegmenter(fail=RuntimeError("boom"))) == 1

    assert {name: (out / name).read_bytes() for name in names(out)} == before


def test_a_failure_while_moving_results_into_place_restores_the_earlier_ones(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("old a")
    (tmp_path / "b").write_text("old b")
    real = os.replace

    def replace(source, target):
        if Path(target) == tmp_path / "b":
            raise PermissionError(13, "Permission denied")  # as when the table is open in a spreadsheet on Windows
        real(source, target)

    with pytest.raises(OutputError, match="Permission denied"):
        with OutputFolder(tmp_path, ["a", "b"], force=True) as output:
            (output.staging / "a").write_text("new a")
            (output.staging / "b").write_text("new b")
            with monkeypatch.context() as patch:
                patch.setattr(os, "replace", lambda s, t: real(s, t) if "old" in _text(s) else replace(s, t))
                output.commit()

    assert (tmp_path / "a").read_text() == "old a" and (tmp_path / "b").read_text() == "old b"
    assert names(tmp_path) == ["a", "b"]


def _text(path) -> str:
    return "" if Path(path).is_dir() else Path(path).read_text()


def test_an_output_that_appears_during_the_run_is_not_overwritten(tmp_path):
    with pytest.raises(OutputError, match="exists"):
        with OutputFolder(tmp_path, ["a"]) as output:
            (output.staging / "a").write_text("new")
            (tmp_path / "a").write_text("somebody else's")
            output.commit()

    assert (tmp_path / "a").read_text() == "somebody else's" and names(tmp_path) == ["a"]


def test_json_prints_one_object_that_a_script_can_use(scan, tmp_path, capsys):
    assert run(scan, "-o", tmp_path / "out", "--json", "--preset", "paper") == 0

    printed = json.loads(capsys.readouterr().out)
    assert printed["status"] == "ok"
    assert printed["bundle"] == {"name": "phantom", "version": "1.2.3"}
    assert printed["preset"] == "paper"
    assert sorted(printed["outputs"]) == REQUIRED
    assert all(Path(path).is_file() for path in printed["outputs"].values())
    assert len(printed["lesions"]) == 2
    volumes = [lesion["volume_ml"] for lesion in printed["lesions"]]
    assert sum(volumes) == pytest.approx(printed["lesion_volume_ml"])
    assert printed["tumour_burden_percent"] == pytest.approx(100 * sum(volumes) / printed["liver_volume_ml"])


def test_json_reports_errors_too(tmp_path, capsys):
    assert run(tmp_path / "absent.nii", "-o", tmp_path / "out", "--json") == 3

    printed = json.loads(capsys.readouterr().out)
    assert printed["status"] == "error" and printed["exit_code"] == 3 and printed["error"]["kind"] == "input"
    assert "absent.nii" in printed["error"]["message"]


def test_quiet_says_nothing(scan, tmp_path, capsys):
    assert run(scan, "-o", tmp_path / "out", "--quiet") == 0

    assert capsys.readouterr() == ("", "")


def test_without_a_terminal_each_stage_is_one_line_of_the_log(scan, tmp_path, capsys):
    run(scan, "-o", tmp_path / "out")

    stages = [line for line in capsys.readouterr().err.splitlines() if line.endswith(" ...")]
    assert stages == ["Reading ...", "Liver ...", "Lesions ...", "Writing ..."]


def test_options_reach_the_segmenter(scan, tmp_path):
    segmenter = PhantomSegmenter()

    run(
        scan, "-o", tmp_path / "out", "--device", "cuda:1", "--bundle", tmp_path / "b", "--preset", "paper",
        "--min-lesion-mm", "5", "--lesions-inside-liver", "--reject-unlikely", "--no-fill-holes", segmenter=segmenter,
    )  # fmt: skip

    assert (segmenter.device, segmenter.bundle) == ("cuda:1", str(tmp_path / "b"))
    rules = segmenter.preset.postprocessing
    assert rules.min_lesion_mm == 5
    assert rules.lesions_inside_liver and not rules.fill_holes
    assert rules.reject_unlikely_lesions, "which the preset does not"
    assert rules.largest_liver_component == PRESETS["paper"].postprocessing.largest_liver_component


def test_without_post_processing_options_the_presets_own_rules_apply(scan, tmp_path):
    segmenter = PhantomSegmenter()
    run(scan, "-o", tmp_path / "out", segmenter=segmenter)
    assert segmenter.preset == PRESETS["fast"]


@pytest.mark.parametrize(
    ("option", "rule"),
    [
        ("fill-holes", "fill_holes"),
        ("largest-liver", "largest_liver_component"),
        ("lesions-inside-liver", "lesions_inside_liver"),
        ("reject-unlikely", "reject_unlikely_lesions"),
        ("split-lesions", "split_lesions"),
    ],
)
@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_each_rule_is_switched_alone(option, rule, preset):
    parser = argparse.ArgumentParser()
    add_processing_arguments(parser)
    for word, value in ((f"--{option}", True), (f"--no-{option}", False)):
        rules = options_from(parser.parse_args(["--preset", preset, word])).postprocessing
        assert rules == replace(PRESETS[preset].postprocessing, **{rule: value})


def test_a_larger_minimum_leaves_the_small_lesion_out(scan, tmp_path, capsys):
    run(scan, "-o", tmp_path / "out", "--min-lesion-mm", "15", "--json")
    assert len(json.loads(capsys.readouterr().out)["lesions"]) == 1


@pytest.mark.parametrize("words", [[], ["--crf"], ["--multi-scale"], ["--crf", "--multi-scale"]])
def test_crf_and_multi_scale_can_be_had_with_any_preset(scan, tmp_path, words, capsys):
    segmenter = PhantomSegmenter()
    assert run(scan, "-o", tmp_path / "out", "--json", *words, segmenter=segmenter) == 0
    assert segmenter.preset.crf == ("--crf" in words)
    assert (segmenter.preset.lesion_scales == PAPER_SCALES) == ("--multi-scale" in words)
    named = json.loads(capsys.readouterr().out)["preset"]
    assert ("3D-CRF" in named, "multi-scale" in named) == ("--crf" in words, "--multi-scale" in words)


def test_every_preset_of_the_engine_can_be_chosen(scan, tmp_path):
    for preset in PRESETS:
        segmenter = PhantomSegmenter()
        assert run(scan, "-o", tmp_path / preset, "--preset", preset, "-q", segmenter=segmenter) == 0
        assert segmenter.preset == PRESETS[preset]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["scan.nii"],
        ["scan.nii", "-o", "out", "--preset", "best"],
        ["scan.nii", "-o", "out", "--min-lesion-mm", "-1"],
        ["scan.nii", "-o", "out", "--min-lesion-mm", "x"],
    ],
)
def test_wrong_usage_is_one_line_with_its_own_exit_code(words, capsys):
    assert run(*words) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1 and "--help" in error and "_diameter" not in error


def test_a_full_disk_is_an_output_error_and_leaves_nothing(scan, tmp_path, monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("LiverLesionCascadeLib.engine.reports.lesion_csv.lesion_csv", full)
    before = names(tmp_path)

    assert run(scan, "-o", tmp_path / "out") == 5

    assert "No space left on device" in capsys.readouterr().err
    assert names(tmp_path) == before


def test_the_traceback_is_shown_only_when_debugging(scan, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LLC_DEBUG", "1")
    run(scan, "-o", tmp_path / "out", segmenter=PhantomSegmenter(fail=RuntimeError("boom")))
    assert "Traceback" in capsys.readouterr().err


SCRIPT = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background would ignore it
from fixtures.phantom import PhantomSegmenter
from LiverLesionCascadeLib.cli import main

class Noisy(PhantomSegmenter):
    def segment(self, *arguments, **options):
        os.write(1, b"a library in C++ talks")
        print("a library in Python talks")
        return super().segment(*arguments, **options)

sys.exit(main(sys.argv[1:], Noisy(slow_s={slow})))
"""


def start(*words: object, slow: float = 0.0) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(slow=slow), "segment", *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": PYTHON_PATH},
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_end_the_process_and_leave_nothing(scan, tmp_path, number):
    before = names(tmp_path)
    process = start(scan, "-o", tmp_path / "out", slow=600)
    assert process.stderr is not None
    while b"Lesions" not in process.stderr.readline():
        assert process.poll() is None
    assert (tmp_path / "out").is_dir()

    process.send_signal(number)
    _, error = process.communicate(timeout=60)

    assert process.returncode == 130
    assert error.decode().splitlines()[-1] == "error: The segmentation was cancelled; nothing was written"
    assert b"Traceback" not in error
    assert names(tmp_path) == before


def test_a_process_prints_nothing_but_json_on_standard_output_whatever_libraries_print(scan, tmp_path):
    out, _ = start(scan, "-o", tmp_path / "out", "--json", "--probabilities").communicate(timeout=300)
    assert json.loads(out)["status"] == "ok"


def test_help_comes_without_loading_torch_or_numpy():
    code = (
        "import sys; from LiverLesionCascadeLib.cli import main\ntry: main(['segment', '--help'])\nexcept SystemExit: "
    )
    code += "print(sorted({'torch', 'numpy', 'slicer', 'SimpleITK'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": PYTHON_PATH}
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_training_commands_say_what_to_install_where_the_training_package_is_missing(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["train", "folder"]) == 1
    error = capsys.readouterr().err
    assert "pip install" in error and error.count("\n") == 1


def test_every_file_that_may_be_written_is_guarded():
    assert set(REQUIRED) < set(command.OUTPUT_FILES)
