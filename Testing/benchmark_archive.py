"""What dask costs over a plain loop, a worker's memory after many cases, and what kills do to a run over an archive.

    python Testing/benchmark_archive.py [--cases 200] [--folder FOLDER]

The cases are small crops of the sample, shifted and with noise, segmented by a tiny bundle: a case takes about half a
second, so that whatever dask adds shows more than it would with real scans.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import SimpleITK as sitk
from LiverLesionCascadeLib.archive.case_run import run_case
from LiverLesionCascadeLib.archive.discovery import find_entries
from LiverLesionCascadeLib.archive.records import CASES, RECORDS, Settings, model_identity, write_record
from LiverLesionCascadeLib.engine.bundle import ModelBundle
from LiverLesionCascadeLib.sample import fetch_sample
from small_bundle import write_tiny_bundle

# One thread in every process: sums in another order have other last digits.
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
ENVIRONMENT = {**os.environ, **THREADS, "PYTHONPATH": os.pathsep.join(sys.path)}
SAME = ("segmentation.seg.nrrd", "lesions.csv", "key-image.png")
PROJECTED = 10_000
# Thresholds at which the untrained networks of the tiny bundle outline something, different in every case.
SEEING = {
    "liver_pass": {"size": 64, "pixel_mm": 4.0, "threshold": 0.05},
    "lesion_pass": {"size": 64, "margin": 0.16, "iterations": 1, "liver_threshold": 0.115, "lesion_threshold": 0.14},
}


def make_cases(folder, count):
    """Crops of 24 slices of the sample, each at another place and with its own noise."""
    folder.mkdir(parents=True)
    scan = sitk.ReadImage(str(fetch_sample(Path("sample")).image))
    size = np.array(scan.GetSize())
    part = np.minimum(size, (192, 192, 24))
    random = np.random.default_rng(0)
    for number in range(count):
        start = [int(random.integers(0, n + 1)) for n in size - part]
        crop = sitk.RegionOfInterest(scan, part.tolist(), start)
        hu = sitk.GetArrayFromImage(crop) + random.normal(0, 5, part[::-1])
        noisy = sitk.GetImageFromArray(np.clip(np.rint(hu), -1024, 3000).astype(np.int16))
        noisy.CopyInformation(crop)
        sitk.WriteImage(noisy, str(folder / f"case {number:04}.nii.gz"))


def loop(archive, out, bundle):
    """The cases one after the other in this process, records included; prints (seconds of all, inside of the cases)."""
    for name in (RECORDS, CASES):
        (out / name).mkdir(parents=True)
    settings = Settings(str(out), str(bundle), model_identity(ModelBundle.load(bundle)), "fast", None, False, "cpu")
    started, inside = None, 0.0
    for entry in find_entries(archive):
        record = run_case(entry, settings)
        write_record(record, out)
        if started is None:  # the first one loads the bundle
            started = time.perf_counter()
        else:
            inside += record["seconds"]
    print(json.dumps([time.perf_counter() - started, inside]))


def start(archive, out, bundle, workers):
    command = [sys.executable, "-m", "LiverLesionCascadeLib.cli", "archive", str(archive), str(out), "--device", "cpu"]
    command += ["--bundle", str(bundle), "--workers", str(workers), "--quiet"]
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL)


def records_in(out):
    return len(list((out / RECORDS).glob("*.json")))


def wait_for(run, out, count):
    while records_in(out) < count:
        if run.poll() is not None:
            raise RuntimeError(f"the run ended with {run.returncode}")
        time.sleep(0.002)


def worker_of(out):
    """The process of a worker that is at a case."""
    while True:
        for path in (out / RECORDS).glob("*.attempts"):
            try:
                return psutil.Process(json.loads(path.read_text())[-1]["pid"])
            except (OSError, ValueError, psutil.NoSuchProcess):
                continue  # done meanwhile
        time.sleep(0.002)


def peak_mb(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1000


def with_one_worker(archive, out, bundle, count):
    """Seconds of all but the first case, seconds inside of these, peak MB after 20 cases and after all but one."""
    run = start(archive, out, bundle, 1)
    wait_for(run, out, 1)
    started = time.perf_counter()
    worker = worker_of(out)
    wait_for(run, out, min(20, count // 2))
    early = peak_mb(worker)
    wait_for(run, out, count - 1)
    late = peak_mb(worker)
    wait_for(run, out, count)
    seconds = time.perf_counter() - started
    if run.wait() != 0:
        raise RuntimeError(f"the run ended with {run.returncode}")
    written = sorted((out / RECORDS).glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    inside = sum(json.loads(path.read_text())["seconds"] for path in written[1:])
    return seconds, inside, early, late


def disturbed(archive, out, bundle, count):
    """Two workers; one is killed three times, then the run; returns the number of records that the kill left."""
    run = start(archive, out, bundle, 2)
    for share in (0.1, 0.3, 0.5):
        wait_for(run, out, int(count * share))
        worker_of(out).kill()
    wait_for(run, out, int(count * 0.7))
    run.kill()
    run.wait()
    left = records_in(out)
    if start(archive, out, bundle, 2).wait() != 0:
        raise RuntimeError("the second run failed")
    return left


def results(out):
    cases = sorted((out / CASES).iterdir())
    return {case.name: [(case / name).read_bytes() for name in SAME] for case in cases}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--folder", type=Path, help="for the cases and results (default: a temporary one)")
    parser.add_argument("--loop", nargs=3, type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.loop:
        loop(*arguments.loop)
        return 0
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        return compare(Path(name), arguments.cases)


def compare(folder, count):
    archive, bundle = folder / "archive", write_tiny_bundle(folder / "bundle", **SEEING)
    make_cases(archive, count)
    command = [sys.executable, __file__, "--loop", str(archive), str(folder / "loop"), str(bundle)]
    plain = json.loads(subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True).stdout)
    print(f"plain loop       {plain[0]:8.1f} s, {plain[1]:.1f} s of it inside of the cases", flush=True)
    seconds, inside, early, late = with_one_worker(archive, folder / "one", bundle, count)
    print(f"one dask worker  {seconds:8.1f} s, {inside:.1f} s of it inside of the cases", flush=True)
    between = 100 * ((seconds - inside) - (plain[0] - plain[1])) / inside
    print(f"overhead         {100 * (seconds / plain[0] - 1):+8.1f} % by the clock, {between:+.1f} % between the cases")
    hourly = 3600 * (count - 1) / seconds
    print(f"throughput       {hourly:8.0f} of these small cases an hour and worker")
    projected = f"{PROJECTED / hourly:.1f} h; of scans of 30 s: {PROJECTED * 30 / 3600:.0f} h"
    print(f"                 {PROJECTED} of them: {projected}, divided by the number of workers")
    growth = 100 * (late / early - 1)
    print(f"peak memory      {early:8.0f} MB after 20 cases, {late:.0f} MB after {count - 1}: {growth:+.1f} %")
    left = disturbed(archive, folder / "killed", bundle, count)
    wanted, got = results(folder / "one"), results(folder / "killed")
    equal = sum(got.get(name) == files for name, files in wanted.items())
    print(f"kills            3 of workers, 1 of the run with {left} records; then {len(got)} cases, {equal} equal")
    same = len(got) == len(wanted) == equal == records_in(folder / "killed") == count
    print(f"                 the loop's results are {'equal' if results(folder / 'loop') == wanted else 'DIFFERENT'}")
    return 0 if same and late <= 1.1 * early else 1


if __name__ == "__main__":
    sys.exit(main())
