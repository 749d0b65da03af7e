"""What product code must never do, whoever writes it; ruff's flake8-bandit rules (S) say the rest."""

import ast
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from LiverLesionCascadeLib.engine.run_options import RunOptions
from LiverLesionCascadeLib.outputs.output_folder import OutputFolder
from LiverLesionCascadeLib.worker.exchange_folder import ExchangeFolder, write_volume
from LiverLesionCascadeLib.worker.submitted_run import VolumeData

REPOSITORY = Path(__file__).resolve().parents[1]
PRODUCT = [
    path
    for module in ("LiverLesionCascade", "LiverLesionCascadeTraining")
    for path in (REPOSITORY / module).rglob("*.py")
    if "Testing" not in path.relative_to(REPOSITORY).parts
]
#: Modules that execute what they read, or make files that others can foresee.
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "yaml", "code"}
FORBIDDEN_CALLS = {"eval", "exec", "os.system", "os.popen", "tempfile.mktemp", "subprocess.getoutput", "os.chmod"}


def found_in(text: str) -> list[str]:
    """What is forbidden in a program."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] in FORBIDDEN_MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FORBIDDEN_MODULES:
            found += [] if node.level else [str(node.module)]
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            given = {each.arg: ast.unparse(each.value) for each in node.keywords}
            if name in FORBIDDEN_CALLS or given.get("shell", "False") != "False":
                found.append(name)
            if given.get("allow_pickle", "False") != "False":
                found.append(f"{name}(allow_pickle)")
            if name == "torch.load" and given.get("weights_only") != "True":
                found.append("torch.load without weights_only=True")
    return found


@pytest.mark.parametrize(
    "text",
    [
        "import pickle", "from pickle import loads", "import yaml", "torch.load(path)",
        "torch.load(path, weights_only=False)", "np.load(path, allow_pickle=True)", "os.system(words)",
        "subprocess.run(words, shell=True)", "eval(text)", "tempfile.mktemp()",
    ],
)  # fmt: skip
def test_what_is_forbidden_is_found(text):
    assert found_in(text)


def test_nothing_that_is_read_is_executed_and_no_shell_is_asked():
    found = {str(path.relative_to(REPOSITORY)): found_in(path.read_text(encoding="utf-8")) for path in PRODUCT}
    assert len(found) > 150
    assert {name: what for name, what in found.items() if what} == {}


@pytest.fixture
def lax_umask():
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no umask; temporary folders there are the user's own")
def test_scans_in_temporary_folders_are_their_owners_alone_also_with_a_lax_umask(lax_umask, tmp_path):
    exchange = ExchangeFolder(tmp_path / "temporary")
    volume = VolumeData(np.zeros((2, 3, 4), np.int16), np.eye(4), "CT")
    for _ in write_volume(exchange.run_folder(1), volume, RunOptions()):
        pass
    assert stat.S_IMODE(exchange.path.stat().st_mode) == 0o700
    exchange.remove()
    with OutputFolder(tmp_path / "out", ["a"]) as output:
        assert stat.S_IMODE(output.staging.stat().st_mode) == 0o700
