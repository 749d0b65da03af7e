"""Verdict, doubt and selection in the views: each with a look of its own, which is given back."""

import dataclasses
import itertools

import numpy as np
import pytest
import slicer_harness
from fakes.panel_fakes import closePanel, makeCT, openPanel, pump, resultOf

slicer_harness.install()

import slicer  # noqa: E402
from LiverLesionCascadeLib.scene.nodes.segment_looks import LOOKS, Look  # noqa: E402
from LiverLesionCascadeLib.scene.tools.lesion_looks import SELECTED_COLOR, VERDICT_COLORS  # noqa: E402
from LiverLesionCascadeLib.scene.tools.lesion_rows import LesionRows  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.review import ACCEPTED, FLAGGED, REJECTED  # noqa: E402
from LiverLesionCascadeLib.scene.workspace.workspace import workspaceOf  # noqa: E402


@pytest.fixture
def p():
    """A panel with a result of five lesions, of which a person has accepted, rejected and flagged the first three."""
    slicer.mrmlScene.Clear()
    opened = openPanel()
    volume = makeCT(more=3)
    opened.ui.inputSelector.setCurrentNode(volume)
    opened.ui.segmentButton.click()
    opened.node = opened.runs.finish(opened.runs.submitted.pop(), resultOf(volume))
    opened.lesions = opened.panel.results.workbench.lesions
    opened.own = looks(opened.node)
    pump(lambda: not workspaceOf(opened.node).tool(LesionRows).pending())
    for verdict in (ACCEPTED, REJECTED, FLAGGED):
        opened.lesions.step(1)
        opened.lesions.review.toggle(verdict)
    opened.lesions.step(1)
    yield opened
    closePanel(opened)
    slicer.mrmlScene.Clear()


def looks(node):
    display = node.GetDisplayNode()
    return {each: Look.of(display, each) for each in node.GetSegmentation().GetSegmentIDs() if each != "liver"}


def test_verdicts_and_the_selected_lesion_have_looks_of_their_own(p):
    found = looks(p.node)
    accepted, rejected, flagged, selected, waiting = (found[f"lesion_{number}"] for number in range(1, 6))
    assert [each.color for each in (accepted, rejected, flagged)] == [
        VERDICT_COLORS[each] for each in (ACCEPTED, REJECTED, FLAGGED)
    ]
    assert rejected.fill == 0 and rejected.outline < accepted.outline and rejected.opacity3D < 0.5 * accepted.opacity3D
    assert selected.color == SELECTED_COLOR and 0 < selected.fill < accepted.fill
    assert waiting == p.own["lesion_5"]
    p.lesions.review.toggle(REJECTED)
    p.lesions.step(1)
    assert looks(p.node)["lesion_4"] == rejected and looks(p.node)["lesion_5"] == selected


def test_a_lesion_in_doubt_is_paler_and_has_a_sign_in_the_table(p, monkeypatch):
    rows = workspaceOf(p.node).tool(LesionRows)
    rows._measures["lesion_5"] = dataclasses.replace(rows._measures["lesion_5"], confidence=0.3)
    p.lesions._update()
    own, doubtful = p.own["lesion_5"], looks(p.node)["lesion_5"]
    assert doubtful.color is None and doubtful.fill < 0.5 * own.fill and doubtful.opacity3D < own.opacity3D
    assert p.lesions.ui.lesionTable.item(4, 1).text() == "?"
    p.lesions.step(1)
    p.lesions.review.toggle(ACCEPTED)
    assert p.lesions.ui.lesionTable.item(4, 1).text() == "\u2713"


def test_the_segments_have_their_own_looks_again_when_the_module_is_left_or_they_are_edited(p):
    p.widget.exit()
    assert looks(p.node) == p.own and p.node.GetDisplayNode().GetAttribute(LOOKS) is None
    p.widget.enter()
    assert looks(p.node) != p.own
    p.ui.editButton.click()
    assert looks(p.node) == p.own
    p.ui.backButton.click()
    assert looks(p.node)["lesion_1"].color == VERDICT_COLORS[ACCEPTED]


def test_what_a_person_changed_meanwhile_stays(p):
    p.node.GetDisplayNode().SetSegmentOpacity2DFill("lesion_1", 0.9)
    p.widget.exit()
    assert looks(p.node)["lesion_1"] == p.own["lesion_1"]._replace(fill=0.9)


def test_another_result_that_is_shown_gives_the_first_its_own_looks(p):
    p.ui.inputSelector.setCurrentNode(makeCT("Second"))
    assert looks(p.node) == p.own


def test_a_scene_that_was_saved_while_the_looks_were_shown_has_the_segments_own_looks_after_the_module(p, tmp_path):
    before, name = looks(p.node), p.node.GetName()
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    assert looks(p.node) == before
    slicer.mrmlScene.Clear()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    node = slicer.util.getNode(name)
    assert looks(node)["lesion_1"] == before["lesion_1"]
    p.widget.exit()
    assert looks(node) == p.own


def test_a_lesion_that_comes_back_by_undo_brings_its_own_look(p):
    from LiverLesionCascadeLib.scene.tools.dividing import Dividing

    dividing = workspaceOf(p.node).tool(Dividing)
    dividing.merge(["lesion_1", "lesion_2"])
    p.widget.exit()
    dividing.undo()
    assert looks(p.node) == p.own


#: Linear RGB to what deuteranopes and protanopes see (Vienot et al. 1999, doi 10.1002/(SICI)1520-6378).
VIENOT = {
    "deuteranopia": [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]],
    "protanopia": [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]],
}


@pytest.mark.parametrize("kind", VIENOT)
def test_colours_are_told_apart_by_colour_blind_people(kind, p):
    own = p.node.GetSegmentation().GetSegment("lesion_5").GetColor()
    colors = {"own": own, "selected": SELECTED_COLOR, **VERDICT_COLORS}
    seen = {
        name: (np.array(VIENOT[kind]) @ np.power(color, 2.2)).clip(0, 1) ** (1 / 2.2) for name, color in colors.items()
    }
    for (one, first), (other, second) in itertools.combinations(seen.items(), 2):
        assert np.linalg.norm(first - second) > 0.2, (one, other)
