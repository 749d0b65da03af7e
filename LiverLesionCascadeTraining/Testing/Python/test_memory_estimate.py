"""What a training will need in memory is said before it starts, and is about what it then takes."""

import os
import re
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from fixtures.lits_phantoms import write_lits_folders
from LiverLesionCascadeLib.cli import main
from LiverLesionCascadeLib.engine.model.model_settings import LiverPassSettings
from LiverLesionCascadeTrainingLib import recipes
from LiverLesionCascadeTrainingLib.recipes import COMPACT, PAPER, Phase
from LiverLesionCascadeTrainingLib.training.memory_estimate import estimate_memory

CPU = torch.device("cpu")

#: Peak memory of steps of the size that the estimate is made for.
STEPS = """
import re, resource, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from LiverLesionCascadeLib.engine.model.network import CascadeResNet
from LiverLesionCascadeTrainingLib.training.losses import cascade_loss
width, batch, size = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
network = CascadeResNet(width, decoder=True).placed(torch.device("cpu")).train()
optimiser = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9)
for _ in range(2):
    inputs = torch.rand(batch, 3, size, size).contiguous(memory_format=torch.channels_last)
    optimiser.zero_grad()
    cascade_loss(network(inputs), torch.zeros(batch, 2, size, size), 1.0).backward()
    optimiser.step()
if sys.platform == "darwin":
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
else:  # the resource usage of a process on Linux begins with the peak of the process that started it
    print(int(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX resource usage")
def test_estimate_is_close_to_what_steps_take():
    width, batch, size = 0.25, 4, 256
    stage = replace(COMPACT.lesion, phases=(Phase(1, size),))
    passes = {"liver_pass": LiverPassSettings(size, 2.6), "lesion_pass": replace(COMPACT.model.lesion_pass, size=size)}
    model = replace(COMPACT.model, width=width, **passes)
    recipe = replace(COMPACT, model=model, batch=batch, liver=stage, liver_fold=stage, lesion_image=stage, lesion=stage)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", STEPS, str(width), str(batch), str(size)]
    taken = int(subprocess.run(command, env=environment, check=True, capture_output=True, timeout=300).stdout)
    assert estimate_memory(recipe, "fp32", 1, CPU).host == pytest.approx(taken, rel=0.3)


def test_parts_of_a_batch_and_half_precision_need_less():
    whole, parts, half = (
        estimate_memory(PAPER, precision, accumulate, CPU)
        for precision, accumulate in (("fp32", 1), ("fp32", 5), ("bf16", 1))
    )
    assert (whole.batch, parts.batch) == (10, 2)
    assert parts.host < 0.4 * whole.host
    assert half.host < 0.7 * whole.host
    # 124 M parameters with their gradients and momentum, in fp32.
    assert parts.host > 124e6 * 12


def test_dry_run_says_the_peak_memory_and_writes_nothing(tmp_path, capsys):
    train, validation = write_lits_folders(tmp_path / "data")
    run = tmp_path / "run"
    command = ["train", str(train), "--validation", str(validation), "-o", str(run), "--device", "cpu", "--dry-run"]
    found = []
    for batch in ("2", "10"):
        assert main([*command, "--recipe", "paper", "--amp", "fp32", "--batch", batch]) == 0
        printed = capsys.readouterr().out
        assert "train: 5 cases of 4 patients" in printed
        assert f"{recipes.PAPER.liver.steps} steps of {batch} images, 504 x 504 pixels" in printed
        found.append(float(re.search(r"peak host memory: ([\d.]+) GB", printed)[1]))
    assert 2 < found[0] < found[1] < 40
    assert not run.exists()
