"""VGG-FCN, and the cascade as the paper runs it: what the networks are, what they are shown, how they are trained."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from fixtures.lits_phantoms import write_lits_folders
from fixtures.small_bundle import IntensityNetwork
from fixtures.tiny_recipe import tiny_recipe
from LiverLesionCascadeLib.engine.model.model_settings import LesionPassSettings, LiverPassSettings, ModelSettings
from LiverLesionCascadeLib.engine.scan.ct_volume import CTVolume
from LiverLesionCascadeTrainingLib.datasets.cases import find_splits
from LiverLesionCascadeTrainingLib.recipes import COMPACT
from LiverLesionCascadeTrainingLib.studies.baseline_training import (
    BASELINE_JOBS,
    CASCADE_JOB,
    VGG_JOB,
    baseline_stage,
    load_baseline,
    train_baseline,
)
from LiverLesionCascadeTrainingLib.studies.vgg_fcn import VggFcn
from LiverLesionCascadeTrainingLib.studies.whole_slices import WholeSlices
from LiverLesionCascadeTrainingLib.training.cascade_training import CascadeTraining
from LiverLesionCascadeTrainingLib.training.checkpoint import TrainingError

CPU = torch.device("cpu")
MODEL = ModelSettings(1.0, (0.0, 160.0), LiverPassSettings(64, None), LesionPassSettings(64, 0.16, 1))


def test_vgg_fcn_has_the_layers_of_vgg_16_and_as_many_parameters() -> None:
    with torch.device("meta"):
        network = VggFcn()
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    # 13 of the stages, fc6 and fc7, three scores.
    assert [m.out_channels for m in convolutions[:13]] == [64] * 2 + [128] * 2 + [256] * 3 + [512] * 6
    assert [(m.kernel_size, m.out_channels) for m in convolutions[13:15]] == [((7, 7), 4096), ((1, 1), 4096)]
    assert len(convolutions) == 18
    # Long et al. 2015: 134 M.
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(134e6, rel=0.01)


@pytest.mark.parametrize("size", [(32, 32), (40, 72), (160, 168)], ids=str)
def test_vgg_fcn_scores_every_pixel_of_any_size(size) -> None:
    network = VggFcn(0.03125).eval()
    assert network(torch.rand(2, 3, *size)).shape == (2, 2, *size)


def test_a_new_vgg_fcn_sees_no_liver_and_its_skips_start_silent() -> None:
    torch.manual_seed(0)
    network = VggFcn(0.03125).eval()
    images = torch.rand(2, 3, 64, 64)
    scores = network(images)
    assert (scores < 0).all()
    for score in (network.score_pool3, network.score_pool4):
        with torch.no_grad():
            score.weight.fill_(1.0)
        louder = network(images)
        assert not torch.allclose(louder, scores)
        scores = louder


def scan() -> CTVolume:
    """A liver of 100 HU with a lesion of 60 HU in 200 HU."""
    z, y, x = np.mgrid[:6, :64, :64]
    hu = np.full((6, 64, 64), 200, np.int16)
    hu[(y - 30) ** 2 + (x - 28) ** 2 < 20**2] = 100
    hu[(y - 30) ** 2 + (x - 24) ** 2 < 6**2] = 60
    hu[0, :2] = -1000
    return CTVolume.from_array(hu, np.diag([2.0, 2.0, 5.0, 1.0]), "phantom")


def test_the_second_network_sees_the_image_and_the_maps_of_the_first_at_half_strength() -> None:
    first, second = IntensityNetwork(), IntensityNetwork()
    liver, lesions = WholeSlices((first, second), MODEL, CPU).segment(scan())
    ct = scan()
    assert np.array_equal(lesions, ct.hu == 60)
    assert np.array_equal(liver, (ct.hu == 60) | (ct.hu == 100))
    shown, again = torch.cat(first.seen), torch.cat(second.seen)
    assert torch.equal(shown[:, 0], shown[:, 1]) and torch.equal(shown[:, 0], shown[:, 2])
    assert torch.equal(again[:, 0], shown[:, 0])
    np.testing.assert_allclose(again[:, 1].numpy(), 0.5 * lesions, atol=1e-3)
    np.testing.assert_allclose(again[:, 2].numpy(), 0.5 * liver, atol=1e-3)


def test_scales_are_averaged_and_the_crf_smooths() -> None:
    network = IntensityNetwork()
    method = WholeSlices((network,), MODEL, CPU)
    method.segment(scan(), scales=(1.0, 1.25))
    assert {images.shape[-1] for images in network.seen} == {64, 80}

    class Speckled(IntensityNetwork):
        def forward(self, x):
            scores = super().forward(x)
            scores[:, 1, 30, 40] = 0.2
            return scores

    method = WholeSlices((Speckled(),), MODEL, CPU)
    assert method.segment(scan())[1][:, 30, 40].all()
    assert not method.segment(scan(), crf=True)[1][:, 30, 40].any()


@pytest.fixture(scope="module")
def training(tmp_path_factory) -> CascadeTraining:
    folders = write_lits_folders(tmp_path_factory.mktemp("data"))
    folder = tmp_path_factory.mktemp("run") / "run"
    made = CascadeTraining(folder, tiny_recipe(), find_splits([folders[0]], [folders[1]]), CPU, lambda line: None)
    made.prepare()
    return made


def test_a_baseline_is_trained_once_and_loaded_and_the_paper_s_cascade_needs_the_resnet_first(training) -> None:
    with pytest.raises(TrainingError, match="liver"):
        train_baseline(training, CASCADE_JOB)
    training.run("liver")
    for job in BASELINE_JOBS:
        with pytest.raises(TrainingError, match=job):
            load_baseline(training, job)
        train_baseline(training, job)
        weights = [p.clone() for p in load_baseline(training, job).parameters()]
        written = (training.folder / job / "last.pt").stat().st_mtime_ns
        train_baseline(training, job)
        assert (training.folder / job / "last.pt").stat().st_mtime_ns == written
        assert all(map(torch.equal, weights, load_baseline(training, job).parameters()))
    assert isinstance(load_baseline(training, VGG_JOB), VggFcn)
    state = torch.load(training.folder / VGG_JOB / "last.pt", weights_only=True)
    state["average"].popitem()
    torch.save(state, training.folder / VGG_JOB / "last.pt")
    with pytest.raises(TrainingError, match="damaged or of another version"):
        load_baseline(training, VGG_JOB)


def test_the_paper_s_cascade_learns_from_the_resnet_s_maps_of_its_own_slices(training) -> None:
    training.run("liver")
    train_baseline(training, CASCADE_JOB)
    store = training.store("train", "liver")
    images = torch.from_numpy(store.images[:1, None].astype(np.float32) / 255).expand(-1, 3, -1, -1)
    with torch.no_grad():
        maps = torch.sigmoid(training.load("liver")(images))[0].numpy()
    np.testing.assert_allclose(store.priors[0] / 255, maps, atol=1 / 255 + 1e-3)
    stage = baseline_stage(training.recipe, CASCADE_JOB)
    assert stage.prior_absent == 0 and stage.corrections == 0


def test_what_differs_between_baselines_and_the_resnet_is_only_what_makes_them_other_methods() -> None:
    vgg, cascade = (baseline_stage(COMPACT, job) for job in (VGG_JOB, CASCADE_JOB))
    assert replace(vgg, phases=COMPACT.liver.phases) == COMPACT.liver
    assert cascade.phases == COMPACT.liver.phases and cascade.mixture == COMPACT.liver.mixture
