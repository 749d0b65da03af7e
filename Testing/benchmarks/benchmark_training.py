"""Training throughput beside that of the bare forward and backward pass of the same network, on this machine.

The bare pass takes one batch, already on the device, again and again: network, loss, backward, optimiser. The training
draws, warps and jitters a new batch for every step, checks for numbers that are none, and writes log and status. The
target is a training that takes at most 1.3 times as long. Data: the sample CT, cut into parts.

    python Testing/benchmarks/benchmark_training.py                                      # compact, on the processor
    python Testing/benchmarks/benchmark_training.py --recipe paper --device cuda         # the full width on a GPU
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import torch
from LiverLesionCascadeLib.engine.model.device import select_device
from LiverLesionCascadeLib.sample import fetch_sample
from LiverLesionCascadeTrainingLib.datasets.cases import find_splits
from LiverLesionCascadeTrainingLib.recipes import RECIPES
from LiverLesionCascadeTrainingLib.runs.run_control import RunControl
from LiverLesionCascadeTrainingLib.slices.batches import BatchMaker
from LiverLesionCascadeTrainingLib.training.cascade_training import CascadeTraining
from LiverLesionCascadeTrainingLib.training.distributed import Ranks
from LiverLesionCascadeTrainingLib.training.losses import cascade_loss
from LiverLesionCascadeTrainingLib.training.precision import Precision
from LiverLesionCascadeTrainingLib.training.prefetch import spare_cores
from LiverLesionCascadeTrainingLib.training.trainer import Execution, Trainer

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools import make_demo_cases

JOB = "lesion-image"


def bare_images_per_second(trainer: Trainer, steps: int, batch: int, precision: Precision, dice: float) -> float:
    """Of forward and backward passes over one batch."""
    network, device = trainer.network.train(), trainer._device
    optimiser = torch.optim.SGD(network.parameters(), lr=1e-6, momentum=0.9)
    made = trainer.make_parts(0)[0]
    inputs = made.inputs.to(device, memory_format=torch.channels_last)
    targets = made.targets.to(device)

    def step() -> None:
        optimiser.zero_grad(set_to_none=True)
        with precision.autocast():
            logits = network(inputs)
        precision.scaler.scale(cascade_loss(logits, targets, dice)).backward()
        precision.scaler.step(optimiser)
        precision.scaler.update()

    step()
    return batch * steps / _seconds(lambda: [step() for _ in range(steps)], device)


def _seconds(work, device: torch.device) -> float:
    started = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started


def sentence(recipe: str, size: int, where: str, bare: float, full: float) -> str:
    """For the documentation. ``bare``, ``full``: images per second."""
    return textwrap.fill(
        f"Training with the recipe `{recipe}` at {size} pixels, {where}: {bare:.1f} images/s in the bare forward and "
        f"backward pass, {full:.1f} with everything around it ({bare / full:.2f} times as long).",
        120,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", choices=sorted(RECIPES), default="compact")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--amp", default="auto")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--steps", type=int, default=20)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    device, recipe = select_device(arguments.device), RECIPES[arguments.recipe]
    size = max(phase.size for phase in recipe.lesion_image.phases)
    phases = (replace(recipe.lesion_image.phases[-1], steps=2 * arguments.steps + 1),)
    recipe = replace(recipe, lesion_image=replace(recipe.lesion_image, phases=phases))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_demo_cases.main(fetch_sample(Path("sample")).image.parent, root / "cases")
        run = root / "run"
        training = CascadeTraining(
            run, recipe, find_splits([root / "cases" / "train"], [root / "cases" / "val"]), device, lambda line: None
        )
        training.prepare()
        maker = BatchMaker(training.store("train", "lesion"), recipe, recipe.lesion_image, JOB)
        trainer = Trainer(
            training.network(JOB),
            maker,
            run / JOB,
            device,
            None,
            lambda line: None,
            Execution(arguments.amp),
            RunControl(run, device),
        )
        precision = Precision(arguments.amp, device)
        rates: dict[str, list[float]] = {"bare": [], "training": []}
        # In turns, so that what else the machine does burdens both alike; the first steps are not counted.
        trainer.run(stop_at=1)
        for part in (1, 2):
            rates["bare"].append(
                bare_images_per_second(trainer, arguments.steps // 2, recipe.batch, precision, recipe.dice_loss)
            )
            stop = 1 + part * (arguments.steps // 2)
            seconds = _seconds(lambda stop=stop: trainer.run(log_interval=10**6, stop_at=stop), device)
            rates["training"].append(recipe.batch * (arguments.steps // 2) / seconds)
    bare, full = (sum(values) / len(values) for values in rates.values())
    threads = torch.get_num_threads()
    print(sentence(arguments.recipe, size, f"{threads} threads" if device.type == "cpu" else str(device), bare, full))
    print(f"{recipe.batch} images, {precision.name}, {spare_cores(device, Ranks())} cores for batches", file=sys.stderr)
    if device.type != "cuda":
        script = "Testing/benchmarks/benchmark_training.py"
        print(f"on a GPU: {Path(sys.executable).name} {script} --recipe paper --device cuda", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
