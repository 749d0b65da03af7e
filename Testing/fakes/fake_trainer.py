"""Stands for the trainer in tests: the same arguments, files and obedience to control.json, without any learning.

    python Testing/fakes/fake_trainer.py train CASES --output RUN ... [FAKE_TRAINER="steps=40 pause=0.02 die=10"]

Steps 1 to ``steps`` of two jobs; at step ``die`` it ends with an error line and no last word, at ``fail`` with one.
"""

import argparse
import csv
import json
import math
import os
import sys
import time
from pathlib import Path

import numpy as np

JOBS = ("liver", "lesion")


def replaced(path, write):
    """The file appears whole."""
    partial = path.with_name(path.name + ".partial")
    write(partial)
    os.replace(partial, path)


def write_preview(path, step, steps):
    """Three slices with a disk for the liver and one for a lesion; the prediction comes closer with each step."""
    rows, columns = np.ogrid[:96, :96]
    images, reference, predicted = [], [], []
    for number in range(3):
        centre, miss = (48 + 4 * number, 44), 14 * (1 - step / steps)
        liver = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < 30**2
        lesion = (rows - centre[0] + 8) ** 2 + (columns - centre[1] - 6) ** 2 < (5 + number) ** 2
        found = (rows - centre[0]) ** 2 + (columns - centre[1] - miss) ** 2 < (30 - miss / 2) ** 2
        seen = (rows - centre[0] + 8) ** 2 + (columns - centre[1] - 6 - miss) ** 2 < (5 + number) ** 2
        noise = np.random.default_rng(number).normal(0, 6, liver.shape)
        images.append(np.clip(60 + 90 * liver - 50 * lesion + noise, 0, 255))
        reference.append(liver.astype(np.uint8) + (lesion & liver))
        predicted.append(found.astype(np.uint8) + (seen & found))
    arrays = {"images": images, "reference": reference, "predicted": predicted}
    arrays = {name: np.array(each).astype(np.uint8) for name, each in arrays.items()}

    def write(partial):
        with partial.open("wb") as file:
            np.savez_compressed(file, names=np.array(["case 1", "case 2", "case 3"]), **arrays)

    replaced(path, write)


class FakeTrainer:
    def __init__(self, run, device, options):
        self.run, self.device, self.started = run, device, time.time()
        self.steps, self.pause = int(options.get("steps", 20)), float(options.get("pause", 0.02))
        self.die, self.fail = int(options.get("die", 0)), int(options.get("fail", 0))

    def say(self, state, job="", step=0, message=""):
        left = (self.steps * (len(JOBS) - JOBS.index(job)) - step) * self.pause if job else None
        status = {
            "pid": os.getpid(),
            "started": self.started,
            "updated": time.time(),
            "state": state,
            "job": job,
            "step": step,
            "steps": self.steps,
            "seconds_left": left,
            "images_per_second": 21.5,
            "device": self.device,
            "gpu_memory_mb": 1234 if self.device.startswith("cuda") else None,
            "message": message,
        }
        replaced(self.run / "status.json", lambda partial: partial.write_text(json.dumps(status)))

    def command(self):
        try:
            return json.loads((self.run / "control.json").read_text())["command"]
        except (OSError, ValueError, KeyError):
            return ""

    def train(self, job):
        folder = self.run / job
        folder.mkdir(exist_ok=True)
        columns = (
            "step",
            "learning_rate",
            "loss",
            "images_per_second",
            "validation_liver_dice",
            "validation_lesion_dice",
        )
        with (folder / "log.csv").open("w", newline="") as file:
            log = csv.DictWriter(file, columns)
            log.writeheader()
            for step in range(1, self.steps + 1):
                if step == self.die:
                    print("error: The disk is full: free some space", file=sys.stderr, flush=True)
                    os._exit(1)
                if step == self.fail:
                    self.say("failed", job, step, "The loss became nan at step 3")
                    return False
                while self.command() == "pause":
                    self.say("paused", job, step)
                    time.sleep(0.02)
                if self.command() == "stop":
                    self.say("stopped", job, step)
                    return False
                row = {"step": step, "loss": 0.1 + 1.2 * math.exp(-3 * step / self.steps), "images_per_second": 21.5}
                if step % 5 == 0:
                    row["validation_liver_dice"] = 0.95 * (1 - math.exp(-6 * step / self.steps))
                    row["validation_lesion_dice"] = 0.7 * (1 - math.exp(-3 * step / self.steps))
                    write_preview(folder / "preview.npz", step, self.steps)
                log.writerow(row)
                file.flush()
                self.say("training", job, step)
                time.sleep(self.pause)
        return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command")
    parser.add_argument("cases", nargs="+")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--device", default="cpu")
    for name in ("--validation", "--recipe", "--start-from"):
        parser.add_argument(name)
    arguments = parser.parse_args()
    options = dict(each.split("=") for each in os.environ.get("FAKE_TRAINER", "").split())
    trainer = FakeTrainer(arguments.output, arguments.device, options)
    print("fake trainer", arguments.cases, flush=True)
    trainer.say("preparing")
    if all(trainer.train(job) for job in JOBS):
        bundle = arguments.output / "bundle"
        bundle.mkdir(exist_ok=True)
        (bundle / "weights.pt").write_bytes(b"weights")
        (bundle / "metadata.json").write_text(json.dumps({"name": "fake", "version": "1.0.0"}))
        trainer.say("finished")


if __name__ == "__main__":
    main()
