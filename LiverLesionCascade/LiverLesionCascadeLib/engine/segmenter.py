"""The whole run: CT in, liver and lesions out."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from .corrections.refine import Corrections, Refined, carried_probabilities, refine_lesions, refine_liver
from .findings import edges_touched, liver_findings
from .grid.bounding_box import lies_within
from .grid.boxed import Boxed
from .grid.geometry import axial_order
from .measures.lesion_parts import separate_lesions
from .measures.lesions import label_lesions, measure_lesions
from .model.bundle import ModelBundle
from .model.device import precision, select_device
from .model.inference import between_slices, evenly_stepped
from .model.lesion_filter import NEVER_REJECTED_MM, LesionFilter, mean_probabilities, section_diameters_mm
from .model.model_settings import LesionPassSettings
from .model.view import View
from .passes.crf_pass import run_crf_pass
from .passes.fat_and_gas import clear_fat_and_gas
from .passes.lesion_pass import run_lesion_pass
from .passes.liver_pass import run_liver_pass
from .passes.presets import DEFAULT_PRESET, PRESETS, Preset
from .progress import CancelCallback, Progress, ProgressCallback
from .results.lesion_threshold import FULL
from .results.postprocessing import PostProcessing, postprocess
from .results.result import SegmentationResult
from .scan.ct_volume import CTVolume

#: Share of a run that labelling and measuring take.
_FINISHING_SHARE = 0.1
#: Share that the 3D-CRF takes where it is asked for.
_CRF_SHARE = 0.3


class Segmenter:
    """A loaded bundle on a device; keeps its networks between runs.

    Args:
        bundle: Which model.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Raises:
        DeviceError: If the device cannot be used.
        BundleError: If the bundle's weights cannot be used.
    """

    def __init__(self, bundle: ModelBundle, device: str = "auto") -> None:
        self.bundle = bundle
        self.device = select_device(device)
        self._networks = bundle.networks(self.device)

    def segment(
        self,
        ct: CTVolume,
        preset: Preset = PRESETS[DEFAULT_PRESET],
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
    ) -> SegmentationResult:
        """Segments a scan; the result is on the grid of ``ct.hu``.

        Args:
            preset: One of ``PRESETS`` or a preset of your own.
            progress: Called with the fraction done and the stage's name.
            cancel: Asked often; returning True ends the run.

        Raises:
            InvalidVolumeError: If the values are not those of a CT.
            CancelledError: If the run was cancelled.
            DeviceError: If the device, or the computer, ran out of memory.
        """
        ct.require_ct_like()
        iterations = self.bundle.settings.lesion_pass.iterations if preset.iterations is None else preset.iterations
        steps = Progress(progress, cancel)
        timings: dict[str, float] = {}
        started = time.perf_counter()

        def lap(stage: str) -> None:
            nonlocal started
            now = time.perf_counter()
            timings[stage] = now - started
            started = now

        steps.begin("Liver", self._liver_share(ct, preset, iterations))
        liver = run_liver_pass(ct, self.bundle, self._networks["liver"], preset, self.device, steps)
        lap("liver pass")
        if liver.box is None:
            boxes = Boxed.nothing(np.float16), Boxed.nothing(np.float16)
        else:
            steps.reserve(_FINISHING_SHARE + (_CRF_SHARE if preset.crf else 0.0))
            maps, indices, view = liver.maps, liver.indices, liver.view
            if iterations:
                view = liver.box
                maps, indices = run_lesion_pass(
                    ct, self.bundle, self._networks["lesion"], preset, liver, iterations, self.device, steps
                )
                lap("lesion pass")
            if preset.crf:
                steps.begin("3D-CRF", _CRF_SHARE)
                maps = run_crf_pass(maps, ct, view, indices, self.bundle.settings.window_hu, self.device, steps)
                lap("3D-CRF")
            boxes = paste(maps, indices, view, ct)
            clear_fat_and_gas(boxes, ct.hu, ct.spacing)
        steps.begin("Measuring", 1.0)
        result = self._finish(ct, boxes, preset)
        lap("measuring")
        steps.advance(1.0)
        result.timings = timings
        return result

    def refine(
        self,
        ct: CTVolume,
        corrections: Corrections,
        preset: Preset = PRESETS[DEFAULT_PRESET],
        progress: ProgressCallback | None = None,
        cancel: CancelCallback | None = None,
    ) -> Refined:
        """Carries a person's corrections of a result on to what is around them.

        Only slices near corrections are looked at. Voxels that were touched stay as they are; without any correction
        everything does, and no network is run.

        Args:
            corrections: The masks as they are now, and what the person changed in them.
            preset: Its scales are those of the lesion pass.
            progress: Called with the fraction done and the stage's name.
            cancel: Asked often; returning True ends the run.

        Raises:
            ValueError: If the corrections' box does not lie in the scan.
            CancelledError: If the run was cancelled.
            DeviceError: If the device, or the computer, ran out of memory.
        """
        c = corrections
        if not lies_within(c.box, ct.hu.shape):
            raise ValueError(f"the corrections' box {c.box} does not lie in the scan {ct.hu.shape}")
        steps = Progress(progress, cancel)
        steps.begin("Looking again", 0.7)
        edited = c.lesions_painted | c.lesions_erased | c.liver_painted | c.liver_erased
        slices = np.flatnonzero(edited.any(axis=(1, 2)))
        if not slices.size or not c.liver.any():
            steps.advance(1.0)
            return Refined(c.start, c.liver.copy(), c.lesions.copy())
        liver_probability, probability = carried_probabilities(
            ct, self.bundle, self._networks["lesion"], preset, c, slices, self.device, steps
        )
        steps.begin("Carrying corrections on", 0.3)
        liver = refine_liver(ct.spacing, c, liver_probability)
        steps.advance(0.1)
        lesions = refine_lesions(ct.hu[c.box], ct.spacing, c, probability, steps)
        # A new part of a lesion is liver as well; where a person took it out of the liver, nothing is new.
        liver |= lesions & ~c.lesions
        steps.advance(1.0)
        return Refined(c.start, liver, lesions)

    def _liver_share(self, ct: CTVolume, preset: Preset, iterations: int) -> float:
        """Guess of the liver pass's share of the run: the liver takes about half of a scan's slices."""
        slices, slice_mm = ct.hu.shape[0], ct.spacing[0]
        seen = len(evenly_stepped(0, slices - 1, preset.liver_step_mm, slice_mm))
        in_liver = len(evenly_stepped(0, max(1, slices // 2), preset.lesion_step_mm, slice_mm))
        liver = seen * self.bundle.settings.liver_pass.size**2
        lesion = in_liver * self.bundle.settings.lesion_pass.size**2 * iterations
        networks = 1 - _FINISHING_SHARE - (_CRF_SHARE if preset.crf else 0.0)
        return networks * liver / (liver + lesion)

    def _finish(self, ct: CTVolume, boxes: tuple[Boxed, Boxed], preset: Preset) -> SegmentationResult:
        settings, rules = self.bundle.settings.lesion_pass, preset.postprocessing
        liver, instances = self._instances(ct, boxes, rules)
        known = self.bundle.lesion_filter
        if known and rules.reject_unlikely_lesions and _reject(boxes[1], instances, known, settings, ct.spacing):
            liver, instances = self._instances(ct, boxes, rules)
        if rules.lesions_inside_liver:
            _lower_neighbours(boxes[1], liver, instances, rules, settings, ct.spacing)
        table = measure_lesions(instances, ct.hu, ct.geometry, boxes[1], liver, ct.beyond())
        if known:
            # Measured was the mean probability.
            likely = known.likelihood(np.array([each.confidence for each in table], float))
            table = [replace(each, confidence=value) for each, value in zip(table, likely.tolist(), strict=True)]
        parenchyma = ct.hu[liver & (instances == 0)]
        remarks = ct.check()
        findings = [
            *ct.notes,
            *remarks,
            *liver_findings(
                float(np.count_nonzero(liver)) * ct.geometry.voxel_volume_ml,
                float(parenchyma.mean()) if parenchyma.size else None,
                _cut_by(liver, ct),
                any(finding.code == "clipped_hu" for finding in remarks),
            ),
        ]
        return SegmentationResult.of(
            ct,
            liver,
            instances,
            liver_probability=boxes[0],
            lesion_probability=boxes[1],
            table=table,
            bundle_name=self.bundle.name,
            bundle_version=self.bundle.version,
            preset=preset.name,
            device=f"{self.device} ({precision(self.device)})",
            findings=findings,
            lesion_threshold=settings.lesion_threshold,
            min_lesion_mm=rules.min_lesion_mm,
            split_lesions=rules.split_lesions,
            lesion_filter=known,
        )

    def _instances(
        self, ct: CTVolume, boxes: tuple[Boxed, Boxed], rules: PostProcessing
    ) -> tuple[np.ndarray, np.ndarray]:
        """The liver, and the lesions by their numbers, above the bundle's thresholds, by the rules."""
        settings = self.bundle.settings.lesion_pass
        liver, lesions = (
            Boxed(box.values > threshold, box.start).full(ct.hu.shape)
            for box, threshold in zip(boxes, (settings.liver_threshold, settings.lesion_threshold), strict=True)
        )
        liver, lesions = postprocess(liver, lesions, ct.spacing, rules)
        instances = label_lesions(lesions)
        return liver, separate_lesions(instances, ct.spacing) if rules.split_lesions else instances


def _cut_by(liver: np.ndarray, ct: CTVolume) -> tuple[str, ...]:
    """Edges of the scan itself that the liver touches: those of an axial grid around a tilted one lie beyond it."""
    if not ct.resampled:
        return edges_touched(liver)
    on_source = ct.boxed_to_source(Boxed.mask(liver)).full(ct.source.shape)
    return edges_touched(axial_order(ct.source).apply(on_source))


def _reject(
    lesion_probability: Boxed,
    instances: np.ndarray,
    known: LesionFilter,
    settings: LesionPassSettings,
    spacing: tuple[float, float, float],
) -> bool:
    """Takes the probability of lesions that the filter rejects down to their likelihood, in place."""
    inside = instances[lesion_probability.box]
    likely = known.likelihood(mean_probabilities(inside, lesion_probability.values))
    # A filter of somebody's own may be stricter than the threshold: what it rejects must be below that as well.
    highest = np.minimum(likely, _below(settings))
    rejected = (likely < known.reject_below) & (section_diameters_mm(inside, spacing) < NEVER_REJECTED_MM)
    # Number 0 is what is no lesion.
    limit = np.concatenate([[1.0], np.where(rejected, highest, 1.0)]).astype(np.float16)
    values = lesion_probability.values
    np.minimum(values, limit[inside], out=values)
    return bool(rejected.any())


def _lower_neighbours(
    lesion_probability: Boxed,
    liver: np.ndarray,
    instances: np.ndarray,
    rules: PostProcessing,
    settings: LesionPassSettings,
    spacing: tuple[float, float, float],
) -> None:
    """Takes what was removed as a neighbour's below the threshold where it reaches into the liver, in place.

    Asked for lesions anew, at whatever higher threshold, the part in the liver alone would be taken for one.
    """
    box, values = lesion_probability.box, lesion_probability.values
    above = values > settings.lesion_threshold
    # Those that are too small are none of a neighbour: they may come back where smaller ones are asked for.
    by_size = replace(rules, lesions_inside_liver=False, largest_liver_component=False)
    _, large = postprocess(above, above, spacing, by_size)
    lower = large & (instances[box] == 0) & liver[box]
    values[lower] = np.minimum(values[lower], np.float16(_below(settings)))


def _below(settings: LesionPassSettings) -> float:
    """A probability that is not above the threshold, however it is rounded where it is stored."""
    return settings.lesion_threshold - 1 / FULL


def paste(maps: Tensor, indices: list[int], view: View, ct: CTVolume) -> tuple[Boxed, Boxed]:
    """Maps (n, 2, *view.size) of ascending slices as probabilities of the view's voxels, first to last slice."""
    first, last = indices[0], indices[-1]
    rows, columns = ct.hu.shape[1:]
    top, left = max(0, view.top), max(0, view.left)
    height = min(rows, view.top + view.height) - top
    width = min(columns, view.left + view.width) - left
    inner = replace(view, top=view.top - top, left=view.left - left)
    values = torch.zeros((2, last - first + 1, height, width), dtype=torch.float16)
    for z in range(first, last + 1):
        inner.paste(between_slices(maps, indices, [z])[0].float(), values[:, z - first])
    start = (first, top, left)
    return Boxed(values[0].numpy(), start), Boxed(values[1].numpy(), start)
