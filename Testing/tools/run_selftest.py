"""Run the self-tests of scripted modules under the harness, without the Slicer application.

python Testing/tools/run_selftest.py [MODULE.py ...]     all modules of the extension if none is given
"""

import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
MODULES = [REPOSITORY / name / f"{name}.py" for name in ("LiverLesionCascade", "LiverLesionCascadeTraining")]

# As in Slicer, where the folders of all modules are on the path: one module's code imports the library of the other.
sys.path[:0] = [str(REPOSITORY / "Testing"), *(str(module.parent) for module in MODULES)]

import slicer_harness  # noqa: E402


def run(path):
    """Run a loaded module's ScriptedLoadableModuleTest; returns errors that were printed and mistakes in .ui files."""
    import slicer
    from slicer_harness import errors
    from slicer_harness.ui_loader import PROBLEMS

    before = len(PROBLEMS)
    slicer.selfTests[path.stem](msec=1)
    return [*PROBLEMS[before:], *errors.taken()]


def main(arguments):
    application = slicer_harness.install()
    problems = []
    try:
        paths = [Path(argument) for argument in arguments] or MODULES
        for path in paths:
            slicer_harness.load(path)
        application.startupCompleted.emit()
        for path in paths:
            print(f"{path.stem}: self-test", flush=True)
            problems += run(path)
            print(f"{path.stem}: passed", flush=True)
    finally:
        application.aboutToQuit.emit()  # as Slicer does, so that what runs in the background ends
    for problem in problems:
        print(problem, file=sys.stderr)
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
