"""A long working day in one Slicer: nothing that a person did is lost, and nothing is left of what is over."""

from __future__ import annotations

import random
import traceback
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import slicer_harness

slicer_harness.install()

import slicer  # noqa: E402
from fakes import alive  # noqa: E402
from fakes.panel_fakes import FakeRuns, closePanel, openPanel, pump  # noqa: E402
from fakes.workbench_machine import SHAPE, WorkbenchMachine  # noqa: E402
from LiverLesionCascadeLib.gui.panel.questions import Rerun  # noqa: E402
from LiverLesionCascadeLib.gui.runs import event_loop  # noqa: E402
from LiverLesionCascadeLib.scene.tools.refinement import Refining  # noqa: E402
from LiverLesionCascadeLib.scene.tools.threshold import Threshold  # noqa: E402
from PySide6 import QtCore  # noqa: E402
from slicer_harness import errors  # noqa: E402

from ..guard import Finding  # noqa: E402

#: Of memory; judged in as many cycles as fill the caches in their first tenth.
GROWTH, ENOUGH = 1.05, 1000


def _draw_place(rng: random.Random) -> tuple[int, ...]:
    return tuple(rng.randrange(n - 2) for n in SHAPE)


def _seed(rng: random.Random) -> int:
    return rng.randrange(2**32)


#: What is done in a cycle, in any order, and with what.
STEPS = (
    *[("edit", lambda rng: {
        "place": _draw_place(rng), "erase": rng.random() < 0.5, "pick": _seed(rng), "watched": rng.random() < 0.8,
    })] * 4,
    ("editLiver", lambda rng: {"place": _draw_place(rng), "erase": rng.random() < 0.5, "watched": rng.random() < 0.8}),
    ("delete", lambda rng: {"pick": _seed(rng)}),
    *[("review", lambda rng: {
        "pick": _seed(rng), "verdict": rng.choice(("accept", "reject", "flag", "clear")),
    })] * 2,
    ("undoReview", lambda rng: {}),
    *[("threshold", lambda rng: {"threshold": rng.uniform(0.05, 0.95), "minimum": rng.uniform(0, 4)})] * 2,
    ("propose", lambda rng: {"seed": _seed(rng)}),
    ("accept", lambda rng: {}),
    *[("step", lambda rng: {"kind": rng.choice((Threshold, Refining)), "what": rng.choice(("Undo", "Redo"))})] * 2,
    ("split", lambda rng: {"pick": _seed(rng), "count": rng.randrange(2, 5), "gaps": rng.random() < 0.5}),
    ("merge", lambda rng: {"pick": _seed(rng), "count": rng.randrange(2, 4)}),
    ("stepDivision", lambda rng: {"what": rng.choice(("Undo", "Redo"))}),
    ("replace", lambda rng: {}),
    ("undoReplace", lambda rng: {}),
    ("saveAndLoad", lambda rng: {}),
    ("reload", lambda rng: {}),
)  # fmt: skip


class Session(WorkbenchMachine):
    """The person at the panel of the module, in the application's one scene; a network of made-up results."""

    def __init__(self):
        super().__init__()
        self.scene, self.runs = slicer.mrmlScene, FakeRuns()
        self.panel = openPanel(self.runs)
        self.proposal, self.kept = None, []

    @property
    def history(self):
        return self.runs.history

    def openScene(self):
        pass

    def segmented(self, into=None):
        self.panel.questions.answer = Rerun.REPLACE if into else Rerun.NEW
        self.panel.ui.inputSelector.setCurrentNode(self.volume)
        assert self.panel.ui.segmentButton.enabled, self.panel.ui.reasonLabel.text
        self.panel.ui.segmentButton.click()
        return self.runs.finish(self.runs.submitted.pop(), self.result())

    @contextmanager
    def watching(self, watched):
        """Nobody watches while the module is reloaded."""
        if watched:
            yield
            return
        closePanel(self.panel)
        self.proposal = None
        yield
        loaded = slicer_harness.LOADED["LiverLesionCascade"]
        loaded.module.__spec__.loader.exec_module(loaded.module)
        self.panel = openPanel(self.runs)

    def reload(self):
        with self.watching(False):
            pass

    def saveAndLoadScene(self):
        path = Path(slicer.app.temporaryPath) / "scene.mrb"
        assert self.scene.WriteToMRB(str(path))
        self.closeScene()
        assert self.scene.ReadFromMRB(str(path))
        path.unlink()

    def closeScene(self):
        self.scene.Clear()
        slicer.app.processEvents()
        # An application does that between two events; the harness's processEvents may be called within one.
        QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)

    def cycle(self, rng: random.Random) -> str | None:
        """Segments, does all of ``STEPS`` in some order, and closes the scene; what went wrong, or None."""
        slicer_harness.keep_constants_alive()
        done = []
        try:
            self.segment(seed=_seed(rng))
            for name, arguments in rng.sample(STEPS, len(STEPS)):
                if (name == "accept" and self.proposal is None) or (name == "undoReplace" and not self.kept):
                    continue
                done.append(name)
                getattr(self, name)(**arguments(rng))
                slicer.app.processEvents()
                self.whatThePersonDecidedStands()
            self.closeScene()
            self.reload()
            printed = errors.taken()
            return f"printed {printed[0][:300]}" if printed else None
        # What else is raised is what is looked for.
        except Exception as error:  # noqa: BLE001
            frame = traceback.extract_tb(error.__traceback__)[-1]
            errors.taken()
            self.closeScene()
            return f"after {', '.join(done)}: {type(error).__name__} {str(error)[:200]} in {frame.name}:{frame.lineno}"


def count(scene) -> Counter:
    """What is there in a session between two cycles, when nothing waits in the event loop any more."""
    pump(lambda: not event_loop.shared._waiting)
    return (
        Counter(nodes=scene.GetNumberOfNodes(), observers=alive.observers(scene))
        + alive.of_process(slicer.app.temporaryPath)
        + alive.ours()
    )


def grown(number: int, early: tuple[Counter, int], late: tuple[Counter, int]) -> list[Finding]:
    """What there is more of than after a tenth: counts, and bytes beyond ``GROWTH``."""
    more = {name: (early[0][name], n) for name, n in late[0].items() if n > early[0][name]}
    found = [Finding(number, f"more than after a tenth: {more}")] if more else []
    if number >= ENOUGH and late[1] > GROWTH * early[1]:
        found.append(Finding(number, f"memory grew from {early[1] / 1e6:.1f} to {late[1] / 1e6:.1f} MB"))
    return found


def soak(cycles: int) -> tuple[int, int, list[Finding]]:
    """Bytes after a tenth of the cycles and after all, and what went wrong."""
    session, found, early = Session(), [], None
    for number in range(1, cycles + 1):
        wrong = session.cycle(random.Random(number))
        found += [] if wrong is None else [Finding(number, wrong)]
        if number in (max(1, cycles // 10), cycles):
            late = count(session.scene), alive.memory()
            early = early or late
    closePanel(session.panel)
    return early[1], late[1], found + grown(cycles, early, late)
