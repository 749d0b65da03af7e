"""What dask costs over a plain loop, a worker's memory after many cases, and what kills do to a run over an archive.

    python Testing/benchmarks/benchmark_archive.py [--cases 200] [--rounds 3] [--timed 40] [--folder FOLDER]

The cases are small crops of the sample, shifted and with noise, segmented by a tiny bundle: a case takes about a
second, so that whatever dask adds shows more than it would with real scans. Loop and dask take turns over the timed
cases; on a computer that does other work too, the processor time tells more than the clock.
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
from LiverLesionCascadeLib.archive.archive_folder import CASES, RECORDS
from LiverLesionCascadeLib.archive.case_run import run_case
from LiverLesionCascadeLib.archive.discovery import find_entries
from LiverLesionCascadeLib.archive.records import Settings, model_identity, write_record
from LiverLesionCascadeLib.engine.model.bundle import ModelBundle
from LiverLesionCascadeLib.engine.run_options import RunOptions
from LiverLesionCascadeLib.sample import fetch_sample

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fixtures.small_bundle import write_tiny_bundle

# One thread in every process: sums in another order have other last digits.
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
ENVIRONMENT = {**os.environ, **THREADS, "PYTHONPATH": os.pathsep.join(sys.path)}
SAME = ("segmentation.seg.nrrd", "lesions.csv", "key-image.jpg")
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
    """The cases one after the other in this process, records included.

    Prints the seconds of all but the first case, those inside of the cases, and those of processors.
    """
    for name in (RECORDS, CASES):
        (out / name).mkdir(parents=True)
    options = RunOptions(device="cpu", bundle=str(bundle))
    settings = Settings(str(out), model_identity(ModelBundle.load(bundle)), options)
    started, used, inside = None, 0.0, 0.0
    for entry in find_entries(archive):
        record = run_case(entry, settings)
        write_record(record, out)
        if started is None:  # the first one loads the bundle
            started, used = time.perf_counter(), time.process_time()
        else:
            inside += record["seconds"]
    print(json.dumps([time.perf_counter() - started, inside, time.process_time() - used]))


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


def processor_seconds(run):
    """Of the run's process and those that it started: scheduler, nanny and worker."""
    times = [process.cpu_times() for process in (run, *run.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def timed(archive, out, bundle, count):
    """Seconds of all but the first case with one worker, those inside of the cases, and those of processors."""
    run = start(archive, out, bundle, 1)
    wait_for(run, out, 1)
    started, before = time.perf_counter(), processor_seconds(psutil.Process(run.pid))
    used = before
    while records_in(out) < count:
        used = processor_seconds(psutil.Process(run.pid))
        time.sleep(0.2)  # looking for children costs, too
    seconds = time.perf_counter() - started
    finish(run)
    written = sorted((out / RECORDS).glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    inside = sum(json.loads(path.read_text())["seconds"] for path in written[1:])
    return seconds, inside, used - before


def finish(run):
    if run.wait() != 0:
        raise RuntimeError(f"the run ended with {run.returncode}")


def memory(archive, out, bundle, count):
    """Peak MB of the one worker after 20 cases and after all but one."""
    run = start(archive, out, bundle, 1)
    wait_for(run, out, min(20, count // 2))
    worker = worker_of(out)
    early = peak_mb(worker)
    wait_for(run, out, count - 1)
    late = peak_mb(worker)
    finish(run)
    return early, late


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
    parser.add_argument("--cases", type=int, default=200, help="for memory and kills (0: only the overhead)")
    parser.add_argument("--rounds", type=int, default=3, help="of loop and dask over the timed cases")
    parser.add_argument("--timed", type=int, default=40, help="cases that are timed")
    parser.add_argument("--folder", type=Path, help="for the cases and results (default: a temporary one)")
    parser.add_argument("--loop", nargs=3, type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.loop:
        loop(*arguments.loop)
        return 0
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        bundle = write_tiny_bundle(folder / "bundle", **SEEING)
        fine = overhead(folder, bundle, arguments.timed, arguments.rounds)
        return 0 if (arguments.cases == 0 or undisturbed(folder, bundle, arguments.cases)) and fine else 1


def overhead(folder, bundle, count, rounds):
    """Prints what dask costs over a loop; whether that is at most 5 % of the processors' time."""
    archive = folder / "timed"
    make_cases(archive, count)
    both = {"loop": [], "dask": []}
    for number in range(rounds):
        for kind in sorted(both, reverse=number % 2 == 0):
            out = folder / f"{kind} {number}"
            if kind == "loop":
                command = [sys.executable, __file__, "--loop", str(archive), str(out), str(bundle)]
                done = subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True).stdout
                both[kind].append(json.loads(done))
            else:
                both[kind].append(timed(archive, out, bundle, count))
            seconds, inside, used = both[kind][-1]
            said = f"{seconds:.1f} s, {inside:.1f} s inside of the cases, {used:.1f} s of processors"
            print(f"{kind:16} {said}; load {os.getloadavg()[0]:.1f}", flush=True)
    loops, dasks = np.median(both["loop"], axis=0), np.median(both["dask"], axis=0)
    clock, _, processors = 100 * (dasks / loops - 1)
    between = 100 * ((dasks[0] - dasks[1]) - (loops[0] - loops[1])) / loops[1]
    said = f"{clock:+.1f} % by the clock, {between:+.1f} % between the cases, {processors:+.1f} % of processor time"
    print(f"overhead         {said}; medians of {rounds}")
    hourly = 3600 * (count - 1) / dasks[0]
    print(f"throughput       {hourly:.0f} of these small cases an hour and worker")
    projected = f"{PROJECTED / hourly:.1f} h; of scans of 30 s: {PROJECTED * 30 / 3600:.0f} h"
    print(f"                 {PROJECTED} of them: {projected}, divided by the number of workers")
    return processors <= 5


def undisturbed(folder, bundle, count):
    """Prints a worker's memory and what kills change; whether both are as they should be."""
    archive = folder / "archive"
    make_cases(archive, count)
    early, late = memory(archive, folder / "one", bundle, count)
    growth = 100 * (late / early - 1)
    print(f"peak memory      {early:.0f} MB after 20 cases, {late:.0f} MB after {count - 1}: {growth:+.1f} %")
    left = disturbed(archive, folder / "killed", bundle, count)
    wanted, got = results(folder / "one"), results(folder / "killed")
    equal = sum(got.get(name) == files for name, files in wanted.items())
    print(f"kills            3 of workers, 1 of the run with {left} records; then {len(got)} cases, {equal} equal")
    same = len(got) == len(wanted) == equal == records_in(folder / "killed") == count
    return same and late <= 1.1 * early


if __name__ == "__main__":
    sys.exit(main())
