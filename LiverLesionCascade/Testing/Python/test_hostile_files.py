"""Files that fuzzing found, or an attacker would write: each is refused in one line, and leads nowhere."""

import gzip
import json
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
import torch
from fixtures.dicom_files import body_phantom, write_series
from fixtures.small_bundle import write_tiny_bundle
from LiverLesionCascadeLib.archive.records import is_whole
from LiverLesionCascadeLib.engine.errors import BundleError, CascadeError, InputError
from LiverLesionCascadeLib.engine.files import read_array
from LiverLesionCascadeLib.engine.grid.boxed import Boxed
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle
from LiverLesionCascadeLib.engine.results.result import SegmentationResult
from LiverLesionCascadeLib.engine.run_options import RunOptions
from LiverLesionCascadeLib.engine.scan.image_io import read_image, read_input
from LiverLesionCascadeLib.worker.exchange_folder import read_volume, write_volume
from LiverLesionCascadeLib.worker.protocol import decode
from LiverLesionCascadeLib.worker.submitted_run import VolumeData

HU = body_phantom((4, 10, 12)).astype(np.int16) - 1024
META = (
    "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nOffset = 0 0 0\n"
    "ElementSpacing = 1 1 2\nDimSize = 12 10 4\nElementType = MET_SHORT\nElementDataFile = LOCAL\n"
)
NRRD = (
    "NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 12 10 4\n"
    "space directions: (1,0,0) (0,1,0) (0,0,2)\nendian: little\nencoding: raw\nspace origin: (0,0,0)\n"
)


class Payload:
    """Whoever unpickles it makes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return (Path.touch, (self.mark,))


# what ends the process, or takes its memory


@pytest.mark.parametrize("dimensions", ["9223372036854775808", "100", "0", "-3", "x"])
@pytest.mark.parametrize("separator", [" = ", ":"])
def test_an_mha_of_impossible_dimensions_is_refused_before_its_library_sees_it(dimensions, separator, tmp_path):
    text = META.replace("NDims = 3", f"NDims = {dimensions}").replace(" = ", separator)
    (tmp_path / "a.mha").write_bytes(text.encode() + HU.tobytes())
    with pytest.raises(InputError, match="header"):
        read_image(tmp_path / "a.mha")


def test_a_nifti_2_with_numbers_that_have_no_room_in_nifti_1_is_refused(tmp_path):
    nibabel.save(nibabel.Nifti2Image(HU.T, np.diag([1.0, 1, 2, 1])), tmp_path / "a.nii")
    raw = bytearray((tmp_path / "a.nii").read_bytes())
    for at, form, value in ((344, "<i", 1 << 20), (500, "<i", 300), (376, "<d", 1e300)):
        changed = bytearray(raw)
        struct.pack_into(form, changed, at, value)
        (tmp_path / "b.nii.gz").write_bytes(gzip.compress(changed))
        with pytest.raises(CascadeError, match="header"):
            read_image(tmp_path / "b.nii.gz")


def test_dicom_that_claims_gigabytes_takes_no_memory_for_them(tmp_path):
    write_series(tmp_path, (HU + 1024).astype(np.uint16))
    first = sorted(tmp_path.iterdir())[0]
    raw = first.read_bytes()
    at = raw.index(b"\x10\x00\x10\x00PN") + 4
    first.write_bytes(raw[:at] + b"OB\0\0" + struct.pack("<I", 0xFFFFFFF0) + raw[at + 4 :])
    program = (
        "import resource, sys; from pathlib import Path; import pydicom, SimpleITK, scipy.ndimage;"
        "from LiverLesionCascadeLib.engine.scan.dicom.dicom_header import read_dataset;"
        "resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30));"
        "read_dataset(Path(sys.argv[1]))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    pytest.importorskip("resource")
    done = subprocess.run([sys.executable, "-c", program, first], env=environment, capture_output=True, text=True)
    assert "MemoryError" not in done.stderr, done.stderr


def test_an_array_that_claims_more_than_its_file_holds_is_damaged(tmp_path):
    np.save(tmp_path / "a.npy", HU)
    raw = (tmp_path / "a.npy").read_bytes()
    for old, new in ((b"(4, 10, 12), ", b"(9999999999,)"), (b"'<i2'", b"'|O8'"), (b"False", b"[[[[["), (b"}", b"(")):
        (tmp_path / "b.npy").write_bytes(raw.replace(old, new))
        with pytest.raises(ValueError, match="b.npy holds no array"):
            read_array(tmp_path / "b.npy")


# one clear line


@pytest.mark.parametrize("name", ["a.mha", "a.nii"])
def test_what_libraries_print_about_a_bad_file_stays_out_of_the_one_line(name, tmp_path, capfd):
    path = tmp_path / name
    if name == "a.mha":
        path.write_bytes(META.replace("DimSize = 12 10 4\n", "").encode() + HU.tobytes())
    else:
        sitk.WriteImage(sitk.GetImageFromArray(HU), str(path))
        raw = bytearray(path.read_bytes())
        struct.pack_into("<h", raw, 70, 999)
        path.write_bytes(raw)
    with pytest.raises(CascadeError):
        read_image(path)
    assert capfd.readouterr() == ("", "")


# what leads outside


@pytest.mark.parametrize(
    "named", ["../voxels.raw", "{outside}", "sub/../../voxels.raw", "C:\\voxels.raw", "..\\voxels.raw"]
)
@pytest.mark.parametrize("kind", ["mhd", "nhdr"])
def test_voxels_outside_of_the_headers_folder_are_not_read(named, kind, tmp_path):
    outside = tmp_path / "voxels.raw"
    outside.write_bytes(HU.tobytes())
    (tmp_path / "in").mkdir()
    named = named.replace("{outside}", str(outside))
    text = META.replace("LOCAL", named) if kind == "mhd" else f"{NRRD}data file: {named}\n\n"
    (tmp_path / "in" / f"a.{kind}").write_text(text)
    with pytest.raises(InputError, match="outside of its folder"):
        read_image(tmp_path / "in" / f"a.{kind}")


@pytest.mark.parametrize("kind", ["mhd", "nhdr"])
def test_lists_of_files_outside_of_the_headers_folder_are_not_read(kind, tmp_path):
    (tmp_path / "in").mkdir()
    for n in range(4):
        (tmp_path / f"{n}.raw").write_bytes(HU[n].tobytes())
    listed = "".join(f"../{n}.raw\n" for n in range(4))
    text = META.replace("LOCAL", f"LIST\n{listed}") if kind == "mhd" else f"{NRRD}data file: LIST\n{listed}"
    (tmp_path / "in" / f"a.{kind}").write_text(text)
    with pytest.raises(InputError, match="outside of its folder"):
        read_image(tmp_path / "in" / f"a.{kind}")


# what would be executed


def hostile_pickles(mark: Path) -> dict[str, bytes]:
    plain = pickle.dumps(Payload(mark))
    arrays = np.array([Payload(mark)], dtype=object)
    return {"pickle": plain, "npy": _npy(arrays), "torch": _torch(plain)}


def _npy(array: np.ndarray) -> bytes:
    import io

    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def _torch(content: bytes) -> bytes:
    import io

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        archive.writestr("archive/version", b"3")
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["pickle", "npy", "torch"])
def test_no_reader_executes_what_a_file_says(kind, tmp_path):
    mark = tmp_path / "executed"
    content = hostile_pickles(mark)[kind]
    bundle = write_tiny_bundle(tmp_path / "bundle")
    metadata = json.loads((bundle / "metadata.json").read_text())
    import hashlib

    metadata["weights"]["sha256"] = hashlib.sha256(content).hexdigest()
    (bundle / "metadata.json").write_text(json.dumps(metadata))
    (bundle / "weights.pt").write_bytes(content)
    with pytest.raises(BundleError, match="something other than tensors"):
        ModelBundle.load(bundle).networks(torch.device("cpu"))
    run = tmp_path / "run"
    run.mkdir()
    for name in ("volume.npy", "edits.npy", "request.json", "result.json", "liver.npy", "lesions.npy"):
        (run / name).write_bytes(content)
    for read in (read_volume, SegmentationResult.read):
        with pytest.raises(ValueError):
            read(run)
    for name in ("a.nii", "a.nii.gz", "a.nrrd", "a.mha", "a.dcm"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CascadeError):
            read_input([tmp_path / name])
    assert not mark.exists()


@pytest.mark.parametrize("start", [[1e999, 0, 0], [0, 0], "ab", [-1, 0, 0], None])
def test_edits_on_their_way_to_the_worker_that_lie_nowhere_are_damaged(start, tmp_path):
    for _ in write_volume(tmp_path / "run", VolumeData(HU, np.eye(4), "a", Boxed.mask(HU > 0)), RunOptions()):
        pass
    path = tmp_path / "run" / "request.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"edits_start": start}))
    with pytest.raises(ValueError):
        read_volume(tmp_path / "run")


# what programs take for granted


@pytest.mark.parametrize(
    "values",
    [
        {"LiverLesionCascade": "StartRun", "run": 1, "folder": 7},
        {"LiverLesionCascade": "StartRun", "run": "1", "folder": "x"},
        {"LiverLesionCascade": "RunProgress", "run": 1, "fraction": 0.5, "stage": 3, "seconds_left": None},
        {"LiverLesionCascade": "RunProgress", "run": 1, "fraction": 0.5, "stage": "", "seconds_left": float("inf")},
        {"LiverLesionCascade": "RunFailed", "run": 1, "kind": "memory", "message": None, "details": ""},
        {"LiverLesionCascade": "RunFailed", "run": 1, "kind": ["memory"], "message": "", "details": ""},
        {"LiverLesionCascade": "RunFinished", "run": None},
        {
            "LiverLesionCascade": "Hello", "version": 2, "torch_error": "", "device_note": "",
            "devices": [{"id": 3, "name": "x", "usable": True}],
        },
    ],
    ids=str,
)  # fmt: skip
def test_a_message_whose_values_are_of_other_types_is_a_foreign_line(values):
    assert decode(json.dumps(values).encode()) is None


def test_a_record_that_lacks_what_the_summary_needs_is_no_record_of_a_case_that_was_done():
    whole = {
        "name": "a", "source": "a.nii", "fingerprint": "f", "preset": "fast", "device": "cpu", "finished": "now",
        "liver_volume_ml": 1.5, "lesion_volume_ml": 0, "seconds": 2.0, "series": None, "tumour_burden_percent": None,
        "outputs": ["report.html"], "lesions": [], "findings": [{"code": "a", "severity": "info", "message": "b"}],
        "scan": {"voxels_ijk": [1, 2, 3], "spacing_ijk_mm": [1.0, 1.0, 2.0]},
        "bundle": {"name": "a", "version": "1"},
        "doubts": {"score": 1.0, "warnings": [], "unsure_liver": 0.0, "unsure_lesions": 0.0},
    }  # fmt: skip
    assert is_whole(whole)
    for key in whole:
        assert not is_whole({name: value for name, value in whole.items() if name != key})
        assert not is_whole(whole | {key: object()})
    assert not is_whole(whole | {"lesions": [{"long_axis_mm": 3.0}]})
    assert not is_whole(whole | {"seconds": 1e300}) and not is_whole(whole | {"device": "\ud800"})
