"""How many small faults the tests notice: changes one place of a file at a time and runs the tests of that file.

python Testing/tools/mutate.py [--count N] [--seed N] [--only WORD]

Each mutant is a process of its own, forked from one that has numpy, scipy and torch in memory, that loads the changed
file from memory: nothing is written into the working tree. It is killed by the first test that fails, or that takes ten
times as long as all tests of the file took before. Needs fork: Linux or macOS.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib.machinery
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
ENGINE = "LiverLesionCascade/LiverLesionCascadeLib/engine"
TRAINING = "LiverLesionCascadeTraining/LiverLesionCascadeTrainingLib"

#: File -> the tests that are of it, the quick ones first.
TESTS = {
    f"{ENGINE}/results/lesion_threshold.py": ["test_threshold"],
    f"{ENGINE}/results/postprocessing.py": ["test_postprocessing"],
    f"{ENGINE}/results/result.py": ["test_result"],
    f"{ENGINE}/passes/dense_crf.py": ["test_dense_crf"],
    f"{ENGINE}/passes/crf_pass.py": ["test_crf_pass", "test_segmenter"],
    f"{ENGINE}/passes/fat_and_gas.py": ["test_fat_and_gas"],
    f"{ENGINE}/passes/lesion_pass.py": ["test_lesion_pass", "test_segmenter"],
    f"{ENGINE}/passes/liver_pass.py": ["test_segmenter"],
    f"{ENGINE}/passes/presets.py": ["test_run_options", "test_segmenter"],
    f"{ENGINE}/measures/diameters.py": ["test_diameters"],
    f"{ENGINE}/measures/lesion_matching.py": ["test_follow_up"],
    f"{ENGINE}/measures/lesion_parts.py": ["test_lesion_parts"],
    f"{ENGINE}/measures/lesions.py": ["test_lesions"],
    f"{ENGINE}/measures/liver_alignment.py": ["test_follow_up"],
    f"{ENGINE}/measures/liver_density.py": ["test_liver_density"],
    f"{ENGINE}/measures/segment_measures.py": ["test_lesions", "test_segment_statistics", "test_scene_lesion_rows"],
    f"{ENGINE}/measures/spreadsheet.py": ["test_spreadsheet"],
    f"{TRAINING}/slices/augmentation.py": ["test_batches", "test_no_leak"],
    f"{TRAINING}/slices/batches.py": ["test_batches", "test_no_leak"],
    f"{TRAINING}/slices/cross_fitting.py": ["test_no_leak", "test_cascade_training"],
    f"{TRAINING}/slices/hard_slices.py": ["test_hard_slices"],
    f"{TRAINING}/slices/lesion_paste.py": ["test_lesion_paste"],
    f"{TRAINING}/slices/lesion_synthesis.py": ["test_lesion_synthesis"],
    f"{TRAINING}/slices/sampling.py": ["test_batches", "test_training_engine"],
    f"{TRAINING}/slices/simulated_corrections.py": ["test_batches"],
    f"{TRAINING}/slices/slice_store.py": ["test_slice_store", "test_no_leak"],
    f"{TRAINING}/slices/validation.py": ["test_training_engine", "test_cascade_training"],
    f"{TRAINING}/datasets/added_case.py": ["test_added_case"],
    f"{TRAINING}/datasets/cases.py": ["test_cases", "test_no_leak"],
    f"{TRAINING}/datasets/data_check.py": ["test_data_check"],
    f"{TRAINING}/datasets/dataset_report.py": ["test_prepare"],
    f"{TRAINING}/datasets/prepare.py": ["test_prepare"],
    f"{TRAINING}/datasets/prepared.py": ["test_prepare"],
    f"{TRAINING}/datasets/slice_kinds.py": ["test_data_rules", "test_slice_store", "test_batches"],
}

_COMPARE = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_OPERATE = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.MatMult: ast.Add,
}  # fmt: skip


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in a node's place by mistake."""
    changed = copy.copy(node)
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARE:
        changed.ops = [_COMPARE[type(node.ops[0])](), *node.ops[1:]]
        yield changed
    elif isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in _OPERATE:
        changed.op = _OPERATE[type(node.op)]()
        yield changed
    elif isinstance(node, ast.BoolOp):
        changed.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield changed
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub, ast.Invert)):
        yield node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        yield ast.Constant(node.value + 1 if isinstance(node.value, int) else node.value * 1.5 + 0.1)
    elif isinstance(node, ast.IfExp):
        yield node.orelse
    elif isinstance(node, ast.If):
        changed.test = ast.UnaryOp(ast.Not(), node.test)
        yield changed
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield ast.Pass()


def places(tree: ast.Module) -> list[tuple[ast.AST, str, int | None]]:
    """Parent, field and index of all that may be changed; annotations, messages, defaults of types are left alone."""
    found: list[tuple[ast.AST, str, int | None]] = []

    def visit(node: ast.AST) -> None:
        if isinstance(node, (ast.Raise, ast.JoinedStr, ast.Import, ast.ImportFrom, ast.Assert)):
            return
        if isinstance(node, ast.keyword) and node.arg == "strict":  # of zip: it guards against mistakes of ours
            return
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "ops", "op", "ctx"):
                continue
            for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(child, ast.AST):
                    if any(True for _ in changes(child)):
                        found.append((node, name, index))
                    visit(child)

    visit(tree)
    return found


def mutant(source: str, number: int) -> tuple[ast.Module, str]:
    """The changed tree, and what was changed."""
    tree = ast.parse(source)
    parent, name, index = places(tree)[number]
    old = getattr(parent, name) if index is None else getattr(parent, name)[index]
    new = ast.copy_location(next(changes(old)), old)
    if index is None:
        setattr(parent, name, new)
    else:
        getattr(parent, name)[index] = new
    said = [ast.unparse(ast.fix_missing_locations(each)).splitlines()[0] for each in (old, new)]
    return ast.fix_missing_locations(tree), f"line {old.lineno}: {said[0]} -> {said[1]}"


def passes(path: Path, tree: ast.Module | None, tests: list[str], limit_s: int) -> bool:
    """Whether the tests pass in a process of their own in which the file is the tree."""
    child = os.fork()
    if child == 0:
        signal.alarm(limit_s)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        original = importlib.machinery.SourceFileLoader.get_code

        def get_code(self, fullname):
            if tree is not None and Path(self.path).resolve() == path:
                return compile(tree, str(path), "exec")
            return original(self, fullname)

        importlib.machinery.SourceFileLoader.get_code = get_code
        import pytest

        few = ["--hypothesis-profile=few", "--hypothesis-seed=0"]
        code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", *few, *tests])
        os._exit(0 if code == 0 else 1)
    return os.waitpid(child, 0)[1] == 0


def tests_of(names: list[str]) -> list[str]:
    return [str(next(REPOSITORY.glob(f"LiverLesionCascade*/Testing/Python/{name}.py"))) for name in names]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=15, help="mutants of a file at the most, drawn (default: 15)")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument("--only", default="", help="files whose path holds this")
    arguments = parser.parse_args()
    import hypothesis
    import scipy.ndimage  # noqa: F401
    import SimpleITK  # noqa: F401
    import torch

    torch.set_num_threads(1)
    # As many as find most faults: what needs more counts as not found.
    hypothesis.settings.register_profile("few", max_examples=25, deadline=None)
    killed = tried = 0
    for name, tests in TESTS.items():
        if arguments.only not in name:
            continue
        path, files = REPOSITORY / name, tests_of(tests)
        source = path.read_text(encoding="utf-8")
        started = time.monotonic()
        if not passes(path, None, files, 3600):
            sys.exit(f"{', '.join(tests)} fail as the file is")
        limit = 30 + int(10 * (time.monotonic() - started))
        every = range(len(places(ast.parse(source))))
        drawn = sorted(random.Random(f"{arguments.seed} {name}").sample(every, min(arguments.count, len(every))))
        survivors = []
        for number in drawn:
            tree, change = mutant(source, number)
            if passes(path, tree, files, limit):
                survivors.append(change)
        killed, tried = killed + len(drawn) - len(survivors), tried + len(drawn)
        print(f"{name}: {len(drawn) - len(survivors)} of {len(drawn)} killed ({len(every)} places)", flush=True)
        for change in survivors:
            print(f"    survived: {change}", flush=True)
    print(f"{killed} of {tried} killed: {killed / max(tried, 1):.0%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
