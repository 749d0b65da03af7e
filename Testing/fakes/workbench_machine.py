"""A person who works on results in the scene, in whatever order, and an account of what has to stand."""

import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import slicer
from fixtures import scene_cases as cases
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from LiverLesionCascadeLib.engine.grid.boxed import Boxed
from LiverLesionCascadeLib.scene.headless import headlessScene
from LiverLesionCascadeLib.scene.nodes.arrays import orientedImage
from LiverLesionCascadeLib.scene.nodes.volume import ctVolumeFromNode, ijkToRasMatrix
from LiverLesionCascadeLib.scene.tools.dividing import Dividing
from LiverLesionCascadeLib.scene.tools.refinement import Refinement, Refining, editFlags
from LiverLesionCascadeLib.scene.tools.threshold import Threshold
from LiverLesionCascadeLib.scene.workspace.provenance import isOwnSegment
from LiverLesionCascadeLib.scene.workspace.replace_history import ReplaceHistory
from LiverLesionCascadeLib.scene.workspace.review import UNREVIEWED, Review
from LiverLesionCascadeLib.scene.workspace.segmentation import segmentationNodeFromResult
from LiverLesionCascadeLib.scene.workspace.workspace import closeWorkspaces, workspaceOf

HU, LIVER, INSTANCES = cases.abdomen((12, 20, 18))
SHAPE = HU.shape
PLACES = st.tuples(*(st.integers(0, n - 3) for n in SHAPE))
SEEDS = st.integers(0, 2**32 - 1)


class WorkbenchMachine(RuleBasedStateMachine):
    """Drives the scene as a person and the tools do, and keeps its own account of what the person decided.

    ``decided`` are the voxels that the person changed in this result, ``wanted`` whether they are lesion; ``reviewed``
    are the masks of lesions as they were when the person reviewed or last edited them.
    """

    @initialize(seed=SEEDS)
    def segment(self, seed):
        closeWorkspaces()
        self.openScene()
        self.random = np.random.default_rng(seed)
        self.volume = cases.addVolumeNode(self.scene, HU)
        self.kept = []
        self.node = self.segmented()
        self._begin()

    def openScene(self):
        self.context = headlessScene()
        self.scene = self.context.__enter__()
        self.history = ReplaceHistory()
        self.folder = tempfile.TemporaryDirectory()
        (Path(self.folder.name) / ".slicer-cache").touch()  # Slicer's mark of a folder that is a cache

    def segmented(self, into=None):
        """The node of a new result; ``into``: the one whose result it replaces."""
        replaces = into is not None
        return segmentationNodeFromResult(self.result(), self.volume, into, replaces, history=self.history)

    def _begin(self):
        self.decided, self.wanted = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
        self.decidedLiver, self.wantedLiver = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
        self.reviewed = {}
        self.proposal = None
        workspaceOf(self.node)  # as the module does: from now on, every edit is known

    def teardown(self):
        if hasattr(self, "context"):
            closeWorkspaces()
            self.context.__exit__(None, None, None)
            self.folder.cleanup()

    def result(self):
        result = cases.resultOf(ctVolumeFromNode(self.volume), LIVER, INSTANCES)
        noise = self.random.uniform(0, 1, SHAPE) * LIVER
        values = np.where(INSTANCES > 0, 0.5 + 0.5 * noise, 0.7 * noise**2).astype(np.float16)
        result.lesion_probability = Boxed(values, (0, 0, 0))
        return result

    @property
    def workspace(self):
        return workspaceOf(self.node)

    def _lesions(self):
        return self.workspace.lesions().full(SHAPE)

    def _mask(self, segmentId):
        return self.workspace.mask(segmentId).full(SHAPE)

    def _setMask(self, segmentId, mask):
        image = orientedImage(mask.astype(np.uint8), ijkToRasMatrix(self.volume))
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        assert logic.SetBinaryLabelmapToSegment(image, self.node, segmentId, logic.MODE_REPLACE)

    # -- the person

    @rule(place=PLACES, erase=st.booleans(), pick=SEEDS, watched=st.booleans())
    def edit(self, place, erase, pick, watched):
        """Paint or erase a block in one of the lesions, or in a new one; sometimes while nobody watches."""
        before = self._lesions()
        ids = self.workspace.lesionIds()
        if not ids or (not erase and pick % 4 == 0):
            segmentId = self.node.GetSegmentation().AddEmptySegment("", f"Mine {pick % 100}")
            mask = np.zeros(SHAPE, bool)
        else:
            segmentId = ids[pick % len(ids)]
            mask = self._mask(segmentId)
        with self.watching(watched):
            self._setMask(segmentId, mask & ~_block(place) if erase else mask | _block(place))
        self._noteLesions(before)
        if segmentId in self.reviewed:
            self.reviewed[segmentId] = self._mask(segmentId)

    @rule(place=PLACES, erase=st.booleans(), watched=st.booleans())
    def editLiver(self, place, erase, watched):
        before = self.workspace.liver().full(SHAPE)
        liverId = self.workspace.liverId()
        with self.watching(watched):
            self._setMask(liverId, before & ~_block(place) if erase else before | _block(place))
        changed = before ^ self.workspace.liver().full(SHAPE)
        self.decidedLiver |= changed
        self.wantedLiver = np.where(changed, ~before, self.wantedLiver)

    @rule(pick=SEEDS)
    def delete(self, pick):
        """The person deletes a lesion: no tool brings it back by itself."""
        before = self._lesions()
        ids = self.workspace.lesionIds()
        if ids:
            self.reviewed.pop(ids[pick % len(ids)], None)
            self.node.GetSegmentation().RemoveSegment(ids[pick % len(ids)])
            self._noteLesions(before)

    def _noteLesions(self, before):
        after = self._lesions()
        self.decided |= before ^ after
        self.wanted = np.where(before ^ after, after, self.wanted)

    @contextmanager
    def watching(self, watched):
        """What a person does meanwhile is seen by a workspace, or not."""
        if not watched:
            closeWorkspaces()
            self.proposal = None
        yield

    @rule(pick=SEEDS, verdict=st.sampled_from(["accept", "reject", "flag", "clear"]))
    def review(self, pick, verdict):
        ids = self.workspace.lesionIds()
        if ids:
            segmentId = ids[pick % len(ids)]
            getattr(self.workspace.tool(Review), verdict)(segmentId)
            self._noteReviews()

    @rule()
    def undoReview(self):
        tool = self.workspace.tool(Review)
        if tool.canUndo():
            tool.undo()
            self._noteReviews()

    def _noteReviews(self):
        tool = self.workspace.tool(Review)
        now = {each for each in self.workspace.lesionIds() if tool.status(each) != UNREVIEWED}
        known = {each: mask for each, mask in self.reviewed.items() if each in now}
        self.reviewed = known | {each: self._mask(each) for each in now - set(known)}

    # -- the tools

    @rule(threshold=st.floats(0.05, 0.95), minimum=st.floats(0, 4))
    def threshold(self, threshold, minimum):
        tool = self.workspace.tool(Threshold)
        if tool.isPossible:
            tool.apply(threshold, minimum)

    @rule(seed=SEEDS)
    def propose(self, seed):
        """A refinement comes back from the engine; it is accepted later, or never."""
        editFlags(self.workspace)
        random = np.random.default_rng(seed)
        result = self.result()
        lesions = self._lesions() ^ (random.uniform(0, 1, SHAPE) < 0.1)
        result.lesions = Boxed.labels(lesions.astype(np.uint8))
        liver = self.workspace.liver().full(SHAPE) ^ (random.uniform(0, 1, SHAPE) < 0.1)
        result.liver = Boxed.labels(liver.astype(np.uint8))
        self.proposal = Refinement(self.workspace, result)

    @precondition(lambda self: self.proposal is not None)
    @rule()
    def accept(self):
        self.proposal.accept()
        self.proposal = None

    @rule(kind=st.sampled_from([Threshold, Refining]), what=st.sampled_from(["Undo", "Redo"]))
    def step(self, kind, what):
        tool = self.workspace.tool(kind)
        if getattr(tool, f"can{what}")():
            getattr(tool, what.lower())()

    @rule(pick=SEEDS, count=st.integers(2, 4), gaps=st.booleans())
    def split(self, pick, count, gaps):
        ids = [each for each in self.workspace.lesionIds() if self.workspace.mask(each)]
        if not ids:
            return
        tool, segmentId = self.workspace.tool(Dividing), ids[pick % len(ids)]
        proposal = tool.proposal(segmentId)
        if proposal.fewest > 1 if gaps else proposal.isPossible:
            owners = self._owners()
            parts = tool.splitAtGaps(segmentId) if gaps else tool.split(segmentId, count)
            assert parts[0] == segmentId and len(parts) > 1
            np.testing.assert_array_equal(self._owners(), owners)
            self._noteDivision()

    @rule(pick=SEEDS, count=st.integers(2, 3))
    def merge(self, pick, count):
        ids = self.workspace.lesionIds()
        if len(ids) >= count:
            owners = self._owners()
            chosen = np.random.default_rng(pick).choice(ids, count, replace=False).tolist()
            merged = self.workspace.tool(Dividing).merge(chosen)
            assert [each for each in chosen if each in self.workspace.lesionIds()] == [merged]
            np.testing.assert_array_equal(self._owners() > 0, owners > 0)
            assert (self._owners() <= owners).all()
            self._noteDivision()

    @rule(what=st.sampled_from(["Undo", "Redo"]))
    def stepDivision(self, what):
        tool = self.workspace.tool(Dividing)
        if getattr(tool, f"can{what}")():
            owners = self._owners()
            getattr(tool, what.lower())()
            np.testing.assert_array_equal(self._owners() > 0, owners > 0)
            self._noteDivision()

    def _owners(self):
        """How many lesions each voxel is in: a person may paint one over another."""
        return np.sum([self._mask(each) for each in self.workspace.lesionIds()], axis=0, dtype=int)

    def _noteDivision(self):
        """Lesions that a person splits or merges change on their word, reviewed ones too."""
        review = self.workspace.tool(Review)
        ids = self.workspace.lesionIds()
        self.reviewed = {each: self._mask(each) for each in ids if review.status(each) != UNREVIEWED}

    # -- the scene

    @rule()
    def replace(self):
        """The person segments again into the same node: another result, whose edits are others."""
        drawn, reviews = self._drawn(), self._drawnReviews()
        own = {each: mask for each, mask in self.reviewed.items() if each not in reviews}
        account = self.decided, self.wanted, self.decidedLiver, self.wantedLiver, own
        self.kept = [*self.kept, (account, drawn)][-ReplaceHistory.MAXIMUM :]
        self.segmented(into=self.node)
        self._begin()
        self.decided, self.wanted, self.reviewed = drawn, drawn.copy(), reviews

    @precondition(lambda self: self.kept)
    @rule()
    def undoReplace(self):
        """The result of before comes back with its edits; what the person draws in segments of their own stays."""
        (decided, wanted, decidedLiver, wantedLiver, reviewed), drawnThen = self.kept.pop()
        drawn, reviews = self._drawn(), self._drawnReviews()
        self.history.undo(self.node)
        self._begin()
        self.decided = (decided & ~(drawn ^ drawnThen)) | drawn
        self.wanted = np.where(drawn, True, wanted)
        self.decidedLiver, self.wantedLiver = decidedLiver, wantedLiver
        self.reviewed = reviewed | reviews

    def _drawnIds(self):
        segmentation = self.node.GetSegmentation()
        return [each for each in self.workspace.lesionIds() if not isOwnSegment(segmentation, each)]

    def _drawn(self):
        drawn = np.zeros(SHAPE, bool)
        for each in self._drawnIds():
            drawn |= self._mask(each)
        return drawn

    def _drawnReviews(self):
        ids = self._drawnIds()
        return {each: mask for each, mask in self.reviewed.items() if each in ids}

    @rule()
    def saveAndLoad(self):
        with self.watching(False):
            for node in (self.volume, self.node):
                if node.GetStorageNode() is None:
                    node.AddDefaultStorageNode()
            self.saveAndLoadScene()
        self.node = self.scene.GetFirstNodeByClass("vtkMRMLSegmentationNode")
        self.volume = self.node.GetNodeReference(self.node.GetReferenceImageGeometryReferenceRole())
        self.kept = []

    def saveAndLoadScene(self):
        path = Path(self.folder.name) / "scene.mrb"
        assert self.scene.WriteToMRB(str(path))
        self.context.__exit__(None, None, None)
        self.context = headlessScene()
        self.scene = self.context.__enter__()
        self.cache, self.data = slicer.vtkCacheManager(), slicer.vtkDataIOManager()
        self.cache.SetRemoteCacheDirectory(self.folder.name)
        self.data.SetCacheManager(self.cache)
        self.scene.SetDataIOManager(self.data)
        assert self.scene.ReadFromMRB(str(path))
        self.history = ReplaceHistory()

    @invariant()
    def whatThePersonDecidedStands(self):
        if not hasattr(self, "node"):
            return
        np.testing.assert_array_equal(self._lesions()[self.decided], self.wanted[self.decided])
        liver = self.workspace.liver().full(SHAPE)
        np.testing.assert_array_equal(liver[self.decidedLiver], self.wantedLiver[self.decidedLiver])
        for segmentId, mask in self.reviewed.items():
            np.testing.assert_array_equal(self._mask(segmentId), mask)


def _block(place):
    block = np.zeros(SHAPE, bool)
    k, j, i = place
    block[k : k + 2, j : j + 3, i : i + 3] = True
    return block
