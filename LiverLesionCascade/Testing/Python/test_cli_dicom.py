"""``liver-lesion-cascade segment --dicom``: a DICOM series in, a SEG and an SR of it out."""

import importlib.util
from pathlib import Path

import numpy as np
import pydicom
import pytest
from fixtures.dicom_files import write_series
from fixtures.dicom_seg_files import read_masks
from fixtures.phantom import PhantomSegmenter, phantom_hu, write_phantom
from LiverLesionCascadeLib.cli import main
from LiverLesionCascadeLib.engine.dicom.dicom_io import read_dicom_folder


def run(*words: object, segmenter: PhantomSegmenter | None = None) -> int:
    return main(["segment", *map(str, words), "--dicom"], segmenter or PhantomSegmenter())


@pytest.fixture
def series(tmp_path: Path) -> Path:
    folder = tmp_path / "Übung 1"
    stored = (phantom_hu().astype(np.int32) + 1024).clip(0).astype(np.uint16)
    write_series(folder, stored, FrameOfReferenceUID="1.2.3.9", RescaleIntercept=-1024, RescaleSlope=1)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_the_segments_are_written_voxel_for_voxel_and_measured_in_a_report(series, tmp_path, capsys):
    assert run(series, "-o", tmp_path / "out") == 0
    assert "segmentation.seg.dcm" in names(tmp_path / "out") and "lesions.sr.dcm" in names(tmp_path / "out")
    assert "lesions.sr.dcm" in capsys.readouterr().out
    grid = read_dicom_folder(series).source
    masks = read_masks(tmp_path / "out" / "segmentation.seg.dcm", grid.ijk_to_lps, grid.shape)
    assert list(masks) == ["Liver", "Lesion 1", "Lesion 2"]
    lesion = np.abs(phantom_hu() - 30) < 10
    np.testing.assert_array_equal(masks["Lesion 1"] | masks["Lesion 2"], lesion)
    assert masks["Lesion 1"].sum() > masks["Lesion 2"].sum()
    report = pydicom.dcmread(tmp_path / "out" / "lesions.sr.dcm")
    segmentation = pydicom.dcmread(tmp_path / "out" / "segmentation.seg.dcm", stop_before_pixels=True)
    source = pydicom.dcmread(next(series.iterdir()), stop_before_pixels=True)
    for written in (report, segmentation):
        assert written.StudyInstanceUID == source.StudyInstanceUID
    assert segmentation.SOPInstanceUID in str(report)


def refused(capsys, segmenter: PhantomSegmenter, *words: object) -> str:
    assert run(*words, segmenter=segmenter) != 0
    assert segmenter.preset == "", "it is refused before the scan is segmented"
    return capsys.readouterr().err


def test_other_input_than_dicom_is_refused_before_the_run(tmp_path, capsys):
    scan = write_phantom(tmp_path / "scan.nii.gz")
    assert "scan.nii.gz is no DICOM series" in refused(capsys, PhantomSegmenter(), scan, "-o", tmp_path / "out")
    assert names(tmp_path / "out") == []


def test_without_highdicom_it_is_said_how_to_install_it(series, tmp_path, capsys, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "highdicom" else find(name, *more)
    )
    assert "pip install" in refused(capsys, PhantomSegmenter(), series, "-o", tmp_path / "out")
    assert names(tmp_path / "out") == []


def test_results_in_the_folder_are_not_replaced_unasked(series, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "lesions.sr.dcm").write_text("mine")
    assert "lesions.sr.dcm" in refused(capsys, PhantomSegmenter(), series, "-o", tmp_path / "out")
    assert (tmp_path / "out" / "lesions.sr.dcm").read_text() == "mine"
    assert run(series, "-o", tmp_path / "out", "--force") == 0
