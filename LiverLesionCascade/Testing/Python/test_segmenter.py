"""The run as a whole, with networks that answer by intensity: what is found where, progress, cancel, edge cases."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from fixtures.small_bundle import IntensityNetwork, write_tiny_bundle
from LiverLesionCascadeLib import api
from LiverLesionCascadeLib.engine.errors import CancelledError, DeviceError, InvalidVolumeError
from LiverLesionCascadeLib.engine.grid.boxed import Boxed
from LiverLesionCascadeLib.engine.measures.segment_measures import SourceMeasures
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle
from LiverLesionCascadeLib.engine.model.device import memory_errors
from LiverLesionCascadeLib.engine.model.inference import between_slices, evenly_stepped, predict, scaled_size
from LiverLesionCascadeLib.engine.model.view import liver_box_view
from LiverLesionCascadeLib.engine.passes.liver_pass import run_liver_pass
from LiverLesionCascadeLib.engine.passes.presets import PAPER_SCALES, PRESETS, Preset
from LiverLesionCascadeLib.engine.progress import Progress
from LiverLesionCascadeLib.engine.results.lesion_threshold import LesionThreshold, stored_probability
from LiverLesionCascadeLib.engine.results.postprocessing import PostProcessing
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from LiverLesionCascadeLib.engine.segmenter import Segmenter

SLICE = Preset("every slice", postprocessing=PostProcessing(min_lesion_mm=0))


def ball(shape, centre, radius, spacing):
    z, y, x = ((np.arange(n) - c) * s for n, c, s in zip(shape, centre, spacing, strict=True))
    return z[:, None, None] ** 2 + y[:, None] ** 2 + x**2 <= radius**2


SHAPE, SPACING = (40, 96, 112), (4.0, 2.5, 2.0)
LIVER = ball(SHAPE, (20, 44, 40), 55, SPACING)
LESION = ball(SHAPE, (22, 40, 46), 17, SPACING)


def scan(inserts: dict[int, np.ndarray] | None = None) -> CTVolume:
    # Brighter than liver around it: no partial volume at its surface has the values of the lesion.
    hu = np.full(SHAPE, 200, np.int16)
    hu[:, :4] = -1000
    hu[LIVER] = 120
    hu[LESION] = 60
    for value, where in (inserts or {}).items():
        hu[where] = value
    matrix = np.diag([SPACING[2], SPACING[1], SPACING[0], 1.0])
    return CTVolume.from_array(hu, matrix, "phantom")


@pytest.fixture
def segmenter(tmp_path):
    made = Segmenter(ModelBundle.load(write_tiny_bundle(tmp_path / "bundle")), "cpu")
    made._networks = {"liver": IntensityNetwork(), "lesion": IntensityNetwork()}
    return made


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.mark.parametrize("preset", [*PRESETS.values(), SLICE], ids=str)
def test_liver_and_lesion_are_found_where_they_are(segmenter, preset):
    result = segmenter.segment(scan(), preset)
    assert dice(result.liver.full(SHAPE), LIVER) > 0.95
    assert dice(result.lesions.full(SHAPE) > 0, LESION) > 0.85
    assert len(result.table) == 1
    assert result.table[0].volume_ml == pytest.approx(4 / 3 * np.pi * 17**3 / 1000, rel=0.15)
    assert result.table[0].mean_hu == pytest.approx(60, abs=12)


def test_probabilities_cover_the_masks_and_nothing_else(segmenter):
    result = segmenter.segment(scan(), Preset("raw", postprocessing=PostProcessing.none()))
    np.testing.assert_array_equal(result.liver_probability.full(SHAPE) > 0.5, result.liver.full(SHAPE))
    np.testing.assert_array_equal(result.lesion_probability.full(SHAPE) > 0.5, result.lesions.full(SHAPE) > 0)


@pytest.mark.parametrize("threshold", [0.5, 0.3])
def test_what_was_removed_as_a_neighbours_comes_back_at_a_lower_threshold_only(segmenter, threshold):
    """A gall bladder of which less than half lies in the liver: that part alone is no lesion either."""
    settings = segmenter.bundle.settings
    lesion_pass = replace(settings.lesion_pass, lesion_threshold=threshold)
    segmenter.bundle = replace(segmenter.bundle, settings=replace(settings, lesion_pass=lesion_pass))
    lesions = np.where(LESION, 0.9, 0.0)
    lesions[18:23, 40:48, 62:82] = 0.8
    speck = (12, 44, 30)
    lesions[speck] = 0.7
    boxes = tuple(Boxed.of(values.astype(np.float16)) for values in (LIVER, lesions))
    rules = PostProcessing(min_lesion_mm=5.0)
    result = segmenter._finish(scan(), boxes, Preset("rules", postprocessing=rules))
    assert result.lesions == Boxed.labels(LESION.astype(np.uint8))
    assert result.liver == Boxed.mask(LIVER)

    probability = result.lesion_probability
    at = LesionThreshold(stored_probability(probability.values), result.liver.within(probability.box), 20.0).at
    assert [at(asked, 5.0).count for asked in (threshold, 0.6, 0.75, 0.95)] == [1, 1, 1, 0]
    assert at(threshold - 0.02, 5.0).count == 2
    assert at(threshold).count == 2, "the speck was too small, which may be asked for"


def test_first_run_gets_stage_1_maps_and_the_next_its_own_result_at_half_strength(segmenter):
    segmenter._networks["liver"] = IntensityNetwork(lesion=(2.0, 3.0))
    segmenter.segment(scan(), SLICE)
    seen = segmenter._networks["lesion"].seen
    batches = len(seen) // 2
    first, second = torch.cat(seen[:batches]), torch.cat(seen[batches:])
    assert first[:, 1].max() < 0.01, "stage 1 saw no lesion"
    assert second[:, 1].max() == pytest.approx(0.5, abs=0.01), "the second run gets the lesion of the first"
    assert first[:, 2].max() == pytest.approx(0.5, abs=0.01)
    assert torch.equal(first[:, 0], second[:, 0])


def test_without_priors_stage_2_gets_empty_maps(segmenter):
    segmenter.segment(scan(), Preset("no priors", iterations=1, priors=False))
    assert all((images[:, 1:] == 0).all() for images in segmenter._networks["lesion"].seen)


def test_lesion_pass_sees_every_liver_at_the_density_that_the_bundle_wants(segmenter):
    settings = segmenter.bundle.settings
    segmenter.bundle.settings = replace(settings, lesion_pass=replace(settings.lesion_pass, liver_hu=90.0))
    low, high = settings.window_hu
    segmenter.segment(scan(), SLICE)
    assert max(float(images[:, 0].max()) for images in segmenter._networks["liver"].seen) == 1.0
    middle = torch.cat(segmenter._networks["lesion"].seen)[20, 0]
    # The liver is 120 HU, what is around it is clipped at 160: both are moved by 30.
    assert float(middle.max()) == pytest.approx((130 - low) / (high - low), abs=0.01)
    assert float(((middle - (90 - low) / (high - low)).abs() < 0.01).float().mean()) > 0.3


def test_fat_and_gas_are_neither_liver_nor_lesion_whatever_the_network_says(segmenter):
    segmenter._networks["lesion"] = IntensityNetwork(liver=(-1, 2), lesion=(-1, 2))
    places = {-900: (20, 28, 36), -90: (20, 60, 36), 0: (20, 44, 20)}  # gas, fat, fluid
    ct = scan({hu: ball(SHAPE, centre, 14, SPACING) for hu, centre in places.items()})
    result = segmenter.segment(ct, Preset("raw", postprocessing=PostProcessing.none()))
    for probability in (result.liver_probability, result.lesion_probability):
        liver = probability.full(SHAPE) > 0.5
        for hu, centre in places.items():
            near, inside = ball(SHAPE, centre, 20, SPACING), ball(SHAPE, centre, 9, SPACING)
            assert liver[inside].all() if hu == 0 else not liver[inside].any()
            assert liver[near & ~ball(SHAPE, centre, 17, SPACING)].all(), "the liver beside it stays"


def test_the_lesion_pass_also_sees_15_mm_beyond_the_slices_in_which_the_liver_was_found(segmenter):
    found = run_liver_pass(scan(), segmenter.bundle, segmenter._networks["liver"], SLICE, segmenter.device, Progress())
    shown = np.flatnonzero(LIVER.any(axis=(1, 2)))
    assert (found.first, found.last) == (shown[0] - 4, shown[-1] + 4)  # of 4 mm each


def test_of_single_slices_each_has_a_liver_of_its_own_wherever_it_lies(segmenter):
    """They are far apart: none hangs together with another, and none is beyond the end of a liver."""
    hu = np.full((4, 48, 48), 200, np.int16)
    hu[:, :4] = -1000
    for index, left in enumerate((6, 30, 6, 30)):
        hu[index, 10:22, left : left + 10 - index] = 120
    ct = CTVolume.from_array(hu, np.diag([4.0, 4.0, 50.0, 1.0]), "single slices")
    rules = PostProcessing(largest_liver_component=False)
    found = segmenter.segment(ct, Preset("single", postprocessing=rules)).liver.full(hu.shape)
    np.testing.assert_array_equal(found.sum(axis=(1, 2)) > 80, True)


def test_stage_1_alone_never_runs_the_lesion_network(segmenter):
    result = segmenter.segment(scan(), Preset("stage 1", iterations=0))
    assert not segmenter._networks["lesion"].seen
    assert dice(result.liver.full(SHAPE), LIVER) > 0.9


def test_progress_rises_from_nothing_to_all_and_names_the_stages(segmenter):
    reports = []
    segmenter.segment(scan(), PRESETS["fast"], lambda fraction, stage: reports.append((fraction, stage)))
    fractions = [fraction for fraction, _ in reports]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] == 1
    assert list(dict.fromkeys(stage for _, stage in reports)) == [
        "Liver",
        "Lesions",
        "Lesions, again on the result",
        "Measuring",
    ]


@pytest.mark.parametrize("calls", [0, 3, 10])
def test_cancel_ends_the_run_and_the_segmenter_serves_again(segmenter, calls):
    asked = iter(range(10**6))
    with pytest.raises(CancelledError):
        segmenter.segment(scan(), SLICE, cancel=lambda: next(asked) >= calls)
    assert segmenter.segment(scan(), SLICE).table


def test_cancel_is_asked_within_a_network_not_only_between_batches(segmenter):
    network = IntensityNetwork()
    network.blocks = torch.nn.Sequential(*(torch.nn.Identity() for _ in range(30)))
    segmenter._networks["liver"] = network
    asked = 0

    def cancel():
        nonlocal asked
        asked += 1
        return asked > 12

    with pytest.raises(CancelledError):
        segmenter.segment(scan(), SLICE, cancel=cancel)
    assert len(network.seen) == 1
    assert all(not block._forward_pre_hooks for block in network.blocks)


CRF = Preset("crf", liver_step_mm=5.0, lesion_step_mm=8.0, crf=True)


def test_the_crf_is_a_stage_of_its_own_and_keeps_a_clear_outline(segmenter):
    reports = []
    result = segmenter.segment(scan(), CRF, lambda fraction, stage: reports.append((fraction, stage)))
    assert dice(result.liver.full(SHAPE), LIVER) > 0.9
    assert dice(result.lesions.full(SHAPE) > 0, LESION) > 0.8
    fractions = [fraction for fraction, _ in reports]
    assert fractions == sorted(fractions) and fractions[-1] == 1
    assert list(dict.fromkeys(stage for _, stage in reports))[-2:] == ["3D-CRF", "Measuring"]
    assert result.timings["3D-CRF"] > 0


def test_the_crf_takes_away_specks_that_look_like_what_is_around_them(segmenter):
    class Speckled(IntensityNetwork):
        def forward(self, images):
            logits = super().forward(images)
            logits[..., 44:46, 44:46] = torch.tensor([2.0, 0.3]).view(2, 1, 1)
            return logits

    segmenter._networks["lesion"] = Speckled()
    raw = PostProcessing.none()
    assert len(segmenter.segment(scan(), replace(CRF, postprocessing=raw)).table) < len(
        segmenter.segment(scan(), Preset("no crf", lesion_step_mm=8.0, postprocessing=raw)).table
    )


def test_the_crf_can_be_cancelled_between_two_slices(segmenter):
    stage = ""
    asked = 0

    def report(_, name):
        nonlocal stage
        stage = name

    def cancel():
        nonlocal asked
        asked += stage == "3D-CRF"
        return asked > 5

    with pytest.raises(CancelledError):
        segmenter.segment(scan(), CRF, report, cancel)


def test_scan_without_liver_gives_an_empty_result_that_says_so(segmenter):
    segmenter._networks["liver"] = IntensityNetwork(liver=(2.0, 3.0))
    result = segmenter.segment(scan(), PRESETS["fast"])
    assert not result.liver and not result.lesions and result.table == []
    assert result.liver_volume_ml == 0 and not result.liver_probability.full(SHAPE).any()
    assert "no_liver" in [finding.code for finding in result.findings]


def test_values_that_are_no_hu_are_refused(segmenter):
    random = np.random.default_rng(0)
    mr = random.gamma(2.0, 300.0, SHAPE).astype(np.int16)
    with pytest.raises(InvalidVolumeError, match="Hounsfield"):
        segmenter.segment(CTVolume.from_array(mr, np.diag([2, 2.5, 4, 1.0])))


def test_result_on_a_flipped_and_transposed_source_lies_on_its_voxels(segmenter):
    straight = scan()
    array = np.ascontiguousarray(straight.hu.transpose(2, 0, 1)[:, ::-1])
    # Source axes: i is the row (y), j the slice downwards (z), k the column (x).
    matrix = np.zeros((4, 4))
    matrix[1, 0], matrix[2, 1], matrix[0, 2], matrix[3, 3] = SPACING[1], -SPACING[0], SPACING[2], 1
    matrix[2, 3] = SPACING[0] * (SHAPE[0] - 1)
    turned = CTVolume.from_array(array, matrix)
    result = segmenter.segment(turned, SLICE)
    reference = segmenter.segment(straight, SLICE)
    on_source = turned.to_source(result.lesions.full(turned.hu.shape))
    np.testing.assert_array_equal(on_source, reference.lesions.full(SHAPE).transpose(2, 0, 1)[:, ::-1])


def tilted(degrees: float) -> np.ndarray:
    """(4, 4) of the phantom's grid, turned about the left-right axis."""
    matrix = np.diag([SPACING[2], SPACING[1], SPACING[0], 1.0])
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix[1:3, 1:3] = np.array([[c, -s], [s, c]]) @ matrix[1:3, 1:3]
    return matrix


@pytest.mark.parametrize("degrees", [0.0, 8.0, 20.0])
def test_a_liver_that_is_cut_is_so_in_a_tilted_scan_too_and_the_cut_is_no_surface(segmenter, degrees):
    # Brighter and brighter: no partial volume at the scan's edge, which is air beside it, looks like a lesion.
    hu = np.where(LESION, 150, np.where(LIVER, 80, 0)).astype(np.int16)[:25]
    segmenter._networks = dict.fromkeys(("liver", "lesion"), IntensityNetwork(liver=(0.3, 1.0), lesion=(0.7, 1.0)))
    ct = CTVolume.from_array(hu, tilted(degrees), "phantom")
    result = segmenter.segment(ct, SLICE)
    (cut,) = [each.message for each in result.findings if each.code == "liver_cut"]
    assert "edge of the scan (top)" in cut
    on_source = SourceMeasures(hu, ct.source)
    on_source.set_liver(Boxed.mask(LIVER[:25]))
    expected = on_source.distance_mm(Boxed.mask(LESION[:25]))
    assert expected > 15  # the cut runs through the lesion
    assert result.table[0].distance_to_liver_surface_mm == pytest.approx(expected, abs=4)
    (measured,) = api.measure(ct, result.lesions.full(ct.hu.shape) > 0, result.liver.full(ct.hu.shape))
    assert measured.distance_to_liver_surface_mm == result.table[0].distance_to_liver_surface_mm


def test_unknown_device_is_refused_with_the_choices(tmp_path):
    bundle = ModelBundle.load(write_tiny_bundle(tmp_path))
    for name in ("gpu", "meta"):
        with pytest.raises(DeviceError, match="auto, cpu, cuda"):
            Segmenter(bundle, name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_missing_cuda_is_an_error_not_a_silent_fallback(tmp_path):
    with pytest.raises(DeviceError, match="cuda cannot be used"):
        Segmenter(ModelBundle.load(write_tiny_bundle(tmp_path)), "cuda")


def test_maps_between_looked_at_slices_are_interpolated():
    maps = torch.tensor([0.0, 4.0, 2.0]).view(3, 1)
    between = between_slices(maps, [0, 4, 6], [0, 1, 4, 5, 6, 9])
    assert between[:, 0].tolist() == [0.0, 1.0, 4.0, 3.0, 2.0, 2.0]


def test_steps_end_at_the_last_slice():
    assert evenly_stepped(3, 10, 3.0, 1.0) == [3, 6, 9, 10]
    assert evenly_stepped(3, 9, 6.0, 2.0) == [3, 6, 9]
    assert evenly_stepped(3, 5, 0.0, 2.0) == [3, 4, 5]
    assert evenly_stepped(5, 5, 4.0, 1.0) == [5]


def test_paper_scales_are_those_of_a_512_image():
    assert [scaled_size((512, 512), scale)[0] for scale in PAPER_SCALES] == [512, 544, 576, 608, 640]


def test_mirrored_images_are_averaged_in_their_own_place():
    class LeftIsLikely(IntensityNetwork):
        """A network that trusts the left half of an image more."""

        def forward(self, x):
            return super().forward(x) * torch.linspace(1.0, 0.0, x.shape[-1])

    network, device = LeftIsLikely(), torch.device("cpu")
    images = torch.rand(3, 3, 16, 24, generator=torch.Generator().manual_seed(0))

    def maps(inputs, mirror):
        return predict(network, inputs.__getitem__, 3, (16, 24), (1.0,), device, Progress(), mirror).float()

    plain, mirrored = maps(images, False), maps(images, True)
    assert torch.allclose(mirrored, (plain + maps(images.flip(-1), False).flip(-1)) / 2, atol=1e-3)
    assert torch.allclose(maps(images.flip(-1), True), mirrored.flip(-1), atol=1e-3)
    assert not torch.allclose(mirrored, plain, atol=0.1)


CPU_FULL = RuntimeError(
    "DefaultCPUAllocator: can't allocate memory: you tried to allocate 8000000000 bytes. Error code 12"
)


@pytest.mark.parametrize(
    ("device", "error", "said"),
    [
        ("cpu", CPU_FULL, "The computer ran out of memory: free memory .*, or use a computer that has more"),
        ("cuda", CPU_FULL, "The computer ran out of memory"),
        ("cuda", torch.OutOfMemoryError(), "cuda ran out of memory: free memory there .*, or choose device cpu"),
        ("mps", RuntimeError("MPS backend out of memory"), "mps ran out of memory: .* choose device cpu"),
    ],
)
def test_memory_that_runs_out_is_an_error_of_the_device_with_what_helps_there(device, error, said):
    with pytest.raises(DeviceError, match=said) as raised, memory_errors(torch.device(device)):
        raise error
    assert ("choose device cpu" in str(raised.value)) == (not said.startswith("The computer"))


def test_a_network_for_which_the_memory_does_not_suffice_ends_the_run_as_an_error_of_the_device(segmenter):
    class Full(IntensityNetwork):
        def forward(self, x):
            raise CPU_FULL

    segmenter._networks["liver"] = Full()
    with pytest.raises(DeviceError, match="The computer ran out of memory"):
        segmenter.segment(scan())


def test_other_errors_of_a_network_stay_what_they_are():
    with pytest.raises(RuntimeError, match="expected scalar type Half"), memory_errors(torch.device("cpu")):
        raise RuntimeError("expected scalar type Half")


def small_field() -> CTVolume:
    """A scan of less than the liver pass sees: the rest of its view is padding."""
    hu = np.full((20, 40, 48), 100, np.int16)
    hu[:, 15:25, 15:25] = -1000
    hu[:, 5:10] = 60
    return CTVolume.from_array(hu, np.diag([2.0, 2.0, 4.0, 1.0]), "small")


def test_a_liver_that_the_network_sees_in_the_padding_alone_is_none(segmenter):
    segmenter._networks["liver"] = IntensityNetwork(liver=(-0.1, 0.0001))
    ct = small_field()
    hu = ct.hu.copy()
    hu[hu < 0] = 100
    hu[0, 0, 0] = -1000  # a scan has air somewhere; smaller than a pixel of the view
    result = segmenter.segment(CTVolume.from_array(hu, ct.source.ijk_to_lps), SLICE)
    assert not result.liver
    assert "no_liver" in {finding.code for finding in result.findings}


def test_the_box_is_around_what_lies_in_the_image_whatever_is_seen_beside_it(segmenter):
    segmenter._networks["liver"] = IntensityNetwork(liver=(-0.1, 0.45))
    pass_ = run_liver_pass(
        small_field(), segmenter.bundle, segmenter._networks["liver"], SLICE, torch.device("cpu"), Progress(None, None)
    )
    outside = pass_.maps.clone()
    view = pass_.view
    row, column = -view.top / view.height * view.size[0], -view.left / view.width * view.size[1]
    last_row, last_column = row + 40 / view.height * view.size[0], column + 48 / view.width * view.size[1]
    outside[..., round(row) : round(last_row), round(column) : round(last_column)] = 0
    assert not outside.any()
    assert pass_.box is not None


@pytest.mark.parametrize("rows", [slice(0, 6), slice(-6, None)], ids=["top", "bottom"])
@pytest.mark.parametrize("columns", [slice(0, 9), slice(-9, None)], ids=["left", "right"])
def test_the_box_is_around_a_liver_that_the_image_cuts_off(segmenter, rows, columns):
    hu = np.full((20, 40, 48), -1000, np.int16)
    hu[8:12, rows, columns] = 100
    ct = CTVolume.from_array(hu, np.diag([5.0, 5.0, 4.0, 1.0]), "edges")
    low, high = segmenter.bundle.settings.window_hu
    half = (100 - low) / (high - low) / 2  # of what the liver shows: where it ends
    segmenter._networks["liver"] = IntensityNetwork(liver=(half, 1.0))
    found = run_liver_pass(ct, segmenter.bundle, segmenter._networks["liver"], SLICE, segmenter.device, Progress())
    assert found.view.top < 0 and found.view.size[0] > found.view.height, "padded, and finer than the image"
    lesion_pass = segmenter.bundle.settings.lesion_pass
    profiles = (hu[10] == 100).any(axis=1), (hu[10] == 100).any(axis=0)
    assert found.box == liver_box_view(*profiles, (5.0, 5.0), lesion_pass.size, lesion_pass.margin)
