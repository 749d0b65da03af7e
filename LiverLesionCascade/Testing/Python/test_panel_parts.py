"""The panel's parts without widgets: texts, rules, the check of a volume, the volumes of segments."""

import itertools

import numpy as np
import pytest
import slicer_harness
from hypothesis import given, settings
from hypothesis import strategies as st

slicer_harness.install()

import qt  # noqa: E402
import slicer  # noqa: E402
from fakes.panel_fakes import makeCT  # noqa: E402
from LiverLesionCascadeLib.engine.errors import InvalidVolumeError  # noqa: E402
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume, inspect  # noqa: E402
from LiverLesionCascadeLib.gui.panel.panel_state import buttonState  # noqa: E402
from LiverLesionCascadeLib.gui.panel.run_list import RunEntry, RunList  # noqa: E402
from LiverLesionCascadeLib.gui.panel.scan_check import ScanCheck  # noqa: E402
from LiverLesionCascadeLib.gui.runs.progress_text import stageText, timeLeftText  # noqa: E402
from LiverLesionCascadeLib.gui.sections.result_summary import deviceText, findingsText  # noqa: E402
from LiverLesionCascadeLib.gui.widgets import askPath  # noqa: E402
from LiverLesionCascadeLib.worker.submitted_run import STAGES  # noqa: E402


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.2, "a few seconds left"),
        (12.0, "about 10 s left"),
        (54.9, "about 55 s left"),
        (60.0, "about 1 minute left"),
        (89.0, "about 1 minute left"),
        (95.0, "about 2 minutes left"),
        (3600.0, "about 60 minutes left"),
    ],
)
def test_time_left_is_rounded_as_a_person_would(seconds, text):
    assert timeLeftText(seconds) == text


@settings(deadline=None)
@given(st.floats(0, 1e5), st.floats(0, 1e5))
def test_less_time_is_never_shown_as_more(a, b):
    def shown(seconds):
        text = timeLeftText(seconds)
        number = next((int(word) for word in text.split() if word.isdigit()), 0)
        return number * (60 if "minute" in text else 1)

    assert shown(min(a, b)) <= shown(max(a, b))


def test_every_stage_of_a_run_has_words_of_its_own():
    texts = [stageText(stage) for stage in STAGES]
    assert len(set(texts)) == len(STAGES)
    assert all(text != stage for text, stage in zip(texts, STAGES, strict=True))
    assert stageText("Something new") == "Something new"


@pytest.mark.parametrize(
    ("chosen", "ending", "written", "isAsked"),
    [
        ("case", ".html", "case.html", True),
        ("case.dcm", ".seg.dcm", "case.seg.dcm", True),
        ("case.html", ".html", "case.html", False),  # the dialog asked
        ("new", ".html", "new.html", False),
        ("", ".html", "", False),
    ],
)
@pytest.mark.parametrize("agreed", [True, False])
def test_no_file_is_overwritten_without_a_question(monkeypatch, tmp_path, chosen, ending, written, isAsked, agreed):
    for name in ("case.html", "case.seg.dcm"):
        (tmp_path / name).touch()
    asked = []
    path = chosen and str(tmp_path / chosen)
    monkeypatch.setattr(qt.QFileDialog, "getSaveFileName", lambda *_: path)
    monkeypatch.setattr(slicer.util, "confirmYesNoDisplay", lambda text, **_: asked.append(text) or agreed)
    found = askPath("Write report", "suggestion", "(*.*)", ending)
    assert found == (written and str(tmp_path / written) if agreed or not isAsked else "")
    assert asked == ([f"{tmp_path / written} exists already. Overwrite it?"] if isAsked else [])


def test_findings_are_told_the_worst_first():
    findings = [("info", "A."), ("error", "B."), ("warning", "C.")]
    assert findingsText(findings) == "Cannot be segmented: B.\nPlease note: C.\nFor information: A."
    assert findingsText([]) == ""


def test_a_disabled_button_always_says_why_and_an_enabled_one_never():
    runs = [None, RunEntry("id", "CT"), RunEntry("id", "CT", cancelling=True)]
    cases = itertools.product((None, "CT"), (False, True), ("", "No CT."), ("", "No model."), runs, (False, True))
    for name, anyVolume, refusal, problem, run, busy in cases:
        state = buttonState(name, anyVolume, refusal, problem, run, busy)
        assert state.toolTip and state.enabled == (not state.reason)
        assert (state.text == "Cancel") == (run is not None and not run.cancelling)


def test_the_run_of_the_chosen_volume_is_shown_before_the_one_whose_turn_it_is():
    runs, first, second = RunList(), RunEntry("1", "First"), RunEntry("2", "Second")
    assert runs.shown("1") is None
    runs.append(first)
    runs.append(second)
    assert runs.shown("2") is second and runs.shown("3") is first
    runs.remove(first)
    assert list(runs) == [second] and runs.ofVolume("1") is None


def test_devices_are_named_as_people_name_them():
    assert deviceText("cpu") == "the processor (CPU)" and deviceText("cuda:0") == "the graphics card (GPU)"
    assert deviceText("cuda:1") == "the graphics card (GPU) 1" and deviceText("xpu") == "xpu"


def finished(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@settings(deadline=None)
@given(
    spacing=st.tuples(st.floats(0.3, 3), st.floats(0.3, 3), st.floats(0.5, 9)),
    tilt=st.sampled_from([0.0, 0.2]),
    slices=st.integers(2, 30),
    low=st.sampled_from([-1000, -100, 0]),
)
def test_an_inspection_in_steps_says_what_the_whole_check_says(spacing, tilt, slices, low):
    array = np.random.default_rng(0).integers(low, 300, (slices, 12, 10)).astype(np.int16)
    matrix = np.diag([*spacing, 1.0])
    matrix[1, 2] = tilt * spacing[2]
    ct = CTVolume.from_array(array, matrix, "CT")
    assert finished(inspect(array, matrix, "CT")) == [*ct.notes, *ct.check()]


def test_an_inspection_refuses_what_the_whole_check_refuses():
    array = np.full((4, 5, 6), np.nan, np.float32)
    with pytest.raises(InvalidVolumeError) as whole:
        CTVolume.from_array(array, np.eye(4), "CT")
    with pytest.raises(InvalidVolumeError) as steps:
        finished(inspect(array, np.eye(4), "CT"))
    assert str(steps.value) == str(whole.value)


def test_the_check_of_a_volume_is_dropped_when_another_is_chosen():
    slicer.mrmlScene.Clear()
    later, checked = [], []
    check = ScanCheck(lambda seconds, function: later.append(function), lambda: checked.append(check.findings))
    thick, good = makeCT("Thick"), makeCT("Good")
    thick.SetSpacing(1.6, 1.6, 9.0)
    check.start(thick)
    later.pop(0)()
    (stale,) = later
    check.start(good)
    stale()
    assert checked == []
    while later:
        later.pop()()
    assert checked and check.findings == [] and check.refusal == ""
    check.start(None)
    slicer.mrmlScene.Clear()
