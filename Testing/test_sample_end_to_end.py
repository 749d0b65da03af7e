"""The main job as a user runs it: the sample CT, the shipped bundle, the command; then the files that it wrote."""

import csv
import json

import numpy as np
import pytest
import SimpleITK as sitk
from fixtures import scene_cases as cases
from fixtures.scene_cases import loadSegmentation
from LiverLesionCascadeLib.cli import main
from LiverLesionCascadeLib.engine.model.bundle import BUNDLES_FOLDER, METADATA_FILE, ModelBundle
from LiverLesionCascadeLib.engine.scan.image_io import read_image
from LiverLesionCascadeLib.sample import fetch_sample
from LiverLesionCascadeLib.scene.headless import headlessScene
from LiverLesionCascadeLib.scene.workspace.segmentation import segmentMask
from LiverLesionCascadeTrainingLib.bundles.model_card import CARD_FILE, model_card
from LiverLesionCascadeTrainingLib.evaluation.metrics import dice


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return fetch_sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def output(sample, tmp_path_factory):
    folder = tmp_path_factory.mktemp("Ausgabe mit Umlaut ü") / "result"
    assert main(["segment", str(sample.image), "-o", str(folder), "--device", "cpu", "--quiet"]) == 0
    return folder


@pytest.fixture(scope="module")
def segments(output, sample):
    """Masks (slice, row, column) on the sample's grid by segment name, from the .seg.nrrd file."""
    with headlessScene() as scene:
        ct = read_image(sample.image)
        volume = cases.volumeNodeFromArray(scene, ct.hu, ct.geometry, ct.name)
        node = loadSegmentation(scene, output / "segmentation.seg.nrrd")
        segmentation = node.GetSegmentation()
        ids = [segmentation.GetNthSegmentID(i) for i in range(segmentation.GetNumberOfSegments())]
        return {segmentation.GetSegment(i).GetName(): segmentMask(node, i, volume) for i in ids}


def test_liver_and_lesions_of_the_sample_are_found(sample, segments):
    reference = sitk.GetArrayFromImage(sitk.ReadImage(str(sample.labels)))
    lesions = np.logical_or.reduce([mask for name, mask in segments.items() if name != "Liver"])
    liver_dice, lesion_dice = dice(segments["Liver"], reference > 0), dice(lesions, reference == 2)
    assert liver_dice >= 0.95
    assert lesion_dice >= 0.76


def test_liver_comes_first_and_holds_every_lesion(segments):
    names = list(segments)
    assert names == ["Liver", *(f"Lesion {i}" for i in range(1, len(names)))]
    assert len(names) > 1
    for name in names[1:]:
        assert segments[name].any()
        assert segments["Liver"][segments[name]].all()


def test_lesion_table_agrees_with_the_segments(output, segments, sample):
    voxel_ml = np.prod(sitk.ReadImage(str(sample.image)).GetSpacing()) / 1000
    with (output / "lesions.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(segments) - 1
    volume = next(key for key in rows[0] if "volume" in key.lower())
    for row, (name, mask) in zip(rows, list(segments.items())[1:], strict=True):
        assert float(row[volume]) == pytest.approx(mask.sum() * voxel_ml, rel=0.01, abs=0.006), name


def test_report_stands_alone_and_names_the_bundle(output):
    report = (output / "report.html").read_text(encoding="utf-8")
    bundle = ModelBundle.shipped()
    assert bundle.name in report and bundle.version in report
    assert "data:image/jpeg;base64," in report
    assert 'src="http' not in report and "<script src" not in report
    assert report.lower().count("research use only") == 1


def test_second_run_refuses_to_replace_the_first_without_being_told(sample, output, capsys):
    before = (output / "segmentation.seg.nrrd").read_bytes()
    assert main(["segment", str(sample.image), "-o", str(output), "--json"]) == 5
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "output"
    assert (output / "segmentation.seg.nrrd").read_bytes() == before


def test_shipped_bundle_is_small_enough_and_says_where_it_comes_from():
    bundle = ModelBundle.shipped()
    assert sum(path.stat().st_size for path in bundle.folder.iterdir()) <= 10_000_000
    assert [path.parent.name for path in BUNDLES_FOLDER.glob(f"*/{METADATA_FILE}")] == [bundle.name]
    assert "117" not in bundle.metadata["training"]["scans"] + bundle.metadata["training"]["single_slice_scans"]
    assert {case["name"] for case in bundle.metadata["validation"]["cases"]} == {"22", "33", "37", "41", "56"}
    card = (bundle.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    for section in ("## Training", "## Validation", "## Limitations", "## Licence and attribution"):
        assert section in card


def test_the_card_of_the_shipped_bundle_is_the_one_that_its_metadata_makes():
    bundle = ModelBundle.shipped()
    size = (bundle.folder / bundle.metadata["weights"]["file"]).stat().st_size
    assert (bundle.folder / CARD_FILE).read_text(encoding="utf-8") == model_card(bundle.metadata, size)
