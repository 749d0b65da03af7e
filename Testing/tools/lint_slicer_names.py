"""Check that every ``slicer.*``, ``qt.*``, ``ctk.*`` and ``vtk.*`` name in a source exists in Slicer.

    python Testing/tools/lint_slicer_names.py [FILE ...]     all Slicer-facing code of the extension if none is given

Names are looked up in slicer-core (MRML, logics, ``slicer.util``), in VTK, in PySide6 without what only PySide has, and
in the list of Slicer's and CTK's widgets (``slicer_harness/api``). Also refused: keyword arguments to constructors of
wrapped C++ classes, which PythonQt has not, and imports of PySide or PyQt.
"""

import ast
import sys
from pathlib import Path

import slicer
import slicer.util
import vtk
from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "Testing"))

from slicer_harness import catalogue  # noqa: E402
from slicer_harness.qt_layer import PYSIDE_ONLY  # noqa: E402

FOLDERS = ("LiverLesionCascade", "LiverLesionCascadeTraining", "Testing/slicer_tour")
# What the application adds to the slicer package at run time.
RUNTIME = {
    "ScriptedLoadableModule",
    "app",
    "cli",
    "i18n",
    "logic",
    "moduleNames",
    "modules",
    "mrmlScene",
    "packaging",
    "parameterNodeWrapper",
    "selfTests",
    "testing",
    "util",
}
QT_NAMES = set().union(*(dir(module) for module in (QtCore, QtGui, QtWidgets, QtUiTools))) - PYSIDE_ONLY
APPLICATION = "qSlicerApplication"


def check(source):
    """[(line, what is wrong)] of one source text."""
    problems = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            problems.update((node.lineno, text) for text in _import_problems(node))
        elif isinstance(node, ast.Call) and node.keywords:
            name = _dotted(node.func)
            if name and _is_wrapped_class(name):
                keyword = node.keywords[0].arg
                problems.add((node.lineno, f"{'.'.join(name)}({keyword}=...): PythonQt takes no keyword arguments"))
        elif isinstance(node, ast.Attribute):
            name = _dotted(node)
            if name and not _exists(name):
                problems.add((node.lineno, f"{'.'.join(name)} is not in Slicer"))
    return sorted(problems)


def _dotted(node):
    """["slicer", "util", "getNode"] of the expression slicer.util.getNode; None of anything else."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return [node.id, *reversed(names)] if isinstance(node, ast.Name) else None


def _import_problems(node):
    modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    if any(module.startswith(("PySide", "PyQt")) for module in modules):
        yield "PySide and PyQt are not in Slicer; import qt"
    if isinstance(node, ast.ImportFrom) and node.module in ("slicer", "slicer.util", "qt", "ctk", "vtk"):
        for alias in node.names:
            if alias.name != "*" and not _exists([*node.module.split("."), alias.name]):
                yield f"{node.module}.{alias.name} is not in Slicer"


def _is_wrapped_class(name):
    return name[0] in ("qt", "ctk") or (name[0] == "slicer" and len(name) == 2 and catalogue.known(name[1]))


def _exists(name):
    package, first, *rest = name
    if package == "qt":
        return first in QT_NAMES
    if package == "ctk":
        functions = catalogue.pythonqt_members(first)
        return catalogue.known(first) if functions is None else not rest or rest[0] in functions
    if package == "vtk":
        return hasattr(vtk, first) and (not rest or _has(getattr(vtk, first), rest[0]))
    if package != "slicer":
        return True
    if first == "util":
        return not rest or hasattr(slicer.util, rest[0])
    if first == "app":
        known = not rest or catalogue.has_member(APPLICATION, rest[0])
        return known or hasattr(QtWidgets.QApplication, rest[0])
    if first in RUNTIME or first.startswith("_"):
        return True
    if hasattr(slicer, first):
        return not rest or _has(getattr(slicer, first), rest[0])
    return catalogue.known(first)


def _has(value, attribute):
    return not isinstance(value, type) or hasattr(value, attribute)


def sources():
    """The Slicer-facing code: all of the modules' folders, and what runs in a real Slicer."""
    for folder in FOLDERS:
        yield from sorted((REPOSITORY / folder).rglob("*.py"))


def main(arguments):
    paths = [Path(argument) for argument in arguments] or list(sources())
    count = 0
    for path in paths:
        for line, problem in check(path.read_text(encoding="utf-8")):
            print(f"{path}:{line}: {problem}")
            count += 1
    print(f"{len(paths)} file(s), {count} unknown name(s)")
    if count:
        print(
            "A ctk, qMRML or qSlicer class used for the first time: "
            "run Testing/tools/trim_api.py with the full catalogues."
        )
    return int(bool(count))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
