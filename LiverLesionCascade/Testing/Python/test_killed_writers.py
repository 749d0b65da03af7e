"""Killed at any moment, or on a disk that is full at the end: the old result is whole, or the new one is."""

import os
import shutil
from pathlib import Path

import pytest
import slicer
import torch
from fixtures.small_bundle import METADATA
from LiverLesionCascadeLib.engine import files
from LiverLesionCascadeLib.engine.errors import OutputError
from LiverLesionCascadeLib.engine.files import atomic_file, remove_tree
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle, save_bundle
from LiverLesionCascadeLib.engine.model.network import CascadeResNet
from LiverLesionCascadeLib.outputs.output_folder import OutputFolder
from LiverLesionCascadeLib.scene.headless import headlessScene
from LiverLesionCascadeLib.scene.nodes import storage

NAMES = ("a", "b", "c", "d")


def contents(folder: Path) -> dict[str, str]:
    return {name: (folder / name).read_text() for name in NAMES if (folder / name).exists()}


@pytest.mark.parametrize("old", [{}, {"a": "old", "b": "old", "d": "old"}, {"d": "old"}], ids=str)
def test_a_run_killed_while_it_moves_files_into_place_leaves_the_old_result_or_the_new_one(old, tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    for name, text in old.items():
        (out / name).write_text(text)
    killed = []
    rename = os.replace

    def replace(before, after):
        killed.append(tmp_path / f"killed-{len(killed)}")
        shutil.copytree(out, killed[-1])
        rename(before, after)

    with monkeypatch.context() as patch, OutputFolder(out, NAMES, force=True) as output:
        for name in ("a", "b", "c"):
            (output.staging / name).write_text("new")
        patch.setattr(os, "replace", replace)
        output.commit()
        shutil.copytree(out, tmp_path / "killed-last")
    new = dict.fromkeys(("a", "b", "c"), "new")
    assert contents(out) == new
    for folder in (*killed, tmp_path / "killed-last"):
        with OutputFolder(folder, NAMES, force=True):
            pass
        assert contents(folder) == (new if folder.name == "killed-last" else old), folder.name
        assert [path.name for path in folder.iterdir() if path.name not in NAMES] == []


def test_what_a_killed_run_had_moved_does_not_refuse_the_next(tmp_path):
    out = tmp_path / "out"
    staging = out / ".unfinished-x"
    (staging / ".all.replaced-y").mkdir(parents=True)
    (out / "a").write_text("new")
    (staging / "b").write_text("new")
    with OutputFolder(out, NAMES) as output:
        (output.staging / "a").write_text("whole")
        output.commit()
    assert contents(out) == {"a": "whole"}


def test_a_run_killed_in_its_last_clean_up_leaves_a_result_that_the_next_one_keeps_and_tidies(tmp_path):
    out = tmp_path / "out"
    (out / ".unfinished-x" / ".all.replaced-y").mkdir(parents=True)
    for name in ("a", "b"):
        (out / name).write_text("new")
    with pytest.raises(OutputError, match="--force to replace"), OutputFolder(out, NAMES):
        pass
    assert contents(out) == {"a": "new", "b": "new"}
    assert sorted(path.name for path in out.iterdir()) == ["a", "b"]


def test_a_bundle_that_is_replaced_is_a_bundle_at_every_moment(tmp_path, monkeypatch):
    torch.manual_seed(0)
    networks = {name: CascadeResNet(width=0.03125) for name in ("liver", "lesion")}
    save_bundle(tmp_path / "out", networks, METADATA | {"version": "1"})
    torch.nn.init.ones_(networks["liver"].stem.weight)
    killed = []
    rename, unlink = os.replace, Path.unlink

    def noted(action):
        def act(*arguments, **options):
            killed.append(tmp_path / f"killed-{len(killed)}")
            shutil.copytree(tmp_path / "out", killed[-1])
            return action(*arguments, **options)

        return act

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", noted(rename))
        patch.setattr(Path, "unlink", noted(unlink))
        save_bundle(tmp_path / "out", networks, METADATA | {"version": "2"})
    versions = [ModelBundle.load(folder).version for folder in killed]
    assert versions == sorted(versions) and set(versions) == {"1", "2"}
    assert ModelBundle.load(tmp_path / "out").version == "2"
    assert len(list((tmp_path / "out").iterdir())) == 2
    save_bundle(tmp_path / "out", networks, METADATA | {"version": "3"})
    assert ModelBundle.load(tmp_path / "out").version == "3" and len(list((tmp_path / "out").iterdir())) == 2


def test_what_a_killed_export_was_writing_is_removed_by_the_next_one(tmp_path):
    (tmp_path / ".writing-1").write_bytes(b"half a bundle's weights")
    save_bundle(tmp_path, {name: CascadeResNet(width=0.03125) for name in ("liver", "lesion")}, METADATA)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["metadata.json", "weights.pt"]


class ShortWriter(slicer.vtkMRMLSegmentationStorageNode):
    """Slicer's own on a disk that is full at the file's end: it says nothing of that."""

    def WriteData(self, node):
        done = super().WriteData(node)
        size = os.path.getsize(self.GetFileName())
        os.truncate(self.GetFileName(), size - 20)
        return done


def test_a_segmentation_that_the_disk_had_no_room_for_is_not_taken_for_written(tmp_path, monkeypatch):
    import vtk

    with headlessScene() as scene:
        node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "s")
        image = slicer.vtkOrientedImageData()
        image.SetDimensions(20, 20, 20)
        image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
        image.GetPointData().GetScalars().Fill(1)
        node.AddSegmentFromBinaryLabelmapRepresentation(image, "Liver")
        (tmp_path / "a.seg.nrrd").write_bytes(b"old")
        with monkeypatch.context() as patch:
            patch.setattr(storage.slicer, "vtkMRMLSegmentationStorageNode", ShortWriter)
            with pytest.raises(OutputError, match="a.seg.nrrd could not be written as a whole.*full"):
                storage.saveSegmentation(node, tmp_path / "a.seg.nrrd")
        assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]
        storage.saveSegmentation(node, tmp_path / "a.seg.nrrd")
        assert (tmp_path / "a.seg.nrrd").stat().st_size > 100


class TalkingWriter(slicer.vtkMRMLSegmentationStorageNode):
    """One that fails, and prints about it as VTK does."""

    def WriteData(self, node):
        os.write(2, b"ERR| Error writing NRRD file\n")
        return 0


def test_what_the_writer_of_segmentations_prints_stays_out_of_the_one_line(tmp_path, monkeypatch, capfd):
    with headlessScene() as scene, monkeypatch.context() as patch:
        node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "s")
        patch.setattr(storage.slicer, "vtkMRMLSegmentationStorageNode", TalkingWriter)
        with pytest.raises(OutputError, match="Check that the disk is not full"):
            storage.saveSegmentation(node, tmp_path / "a.seg.nrrd")
    assert capfd.readouterr().err == ""


def test_what_cannot_be_removed_at_once_is_removed_a_moment_later(tmp_path, monkeypatch):
    refused = iter([True, True])
    unlink = Path.unlink

    def held(self, missing_ok=False):
        if next(refused, False):
            raise PermissionError(13, "in use")
        unlink(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", held)
    with pytest.raises(ZeroDivisionError), atomic_file(tmp_path / "a") as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    calls = []
    rmtree = shutil.rmtree
    monkeypatch.setattr(files.shutil, "rmtree", lambda *a, **k: calls.append(a) or (len(calls) > 1 and rmtree(*a, **k)))
    (tmp_path / "folder").mkdir()
    remove_tree(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == [] and len(calls) == 2
