"""Who may import whom: gui -> worker, scene -> engine; Training -> engine; floors within; torch only when needed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
LIBRARY = REPOSITORY / "LiverLesionCascade" / "LiverLesionCascadeLib"
TRAINING = REPOSITORY / "LiverLesionCascadeTraining" / "LiverLesionCascadeTrainingLib"
SLICER = {"slicer", "vtk", "qt", "ctk", "SampleData", "ScriptedLoadableModule"}
MODULE_FILES = {"LiverLesionCascade", "LiverLesionCascadeTraining"}

# part of the library -> (parts that it may import, packages of Slicer that it may import)
ALLOWED = {
    "engine": ({"engine"}, set()),
    "scene": ({"scene", "engine"}, {"slicer", "vtk"}),
    "worker": ({"worker", "engine"}, set()),
    "outputs": ({"outputs", "scene", "engine"}, set()),
    "archive": ({"archive", "outputs", "engine"}, set()),
    "gui": ({"gui", "worker", "scene", "engine"}, SLICER - {"ScriptedLoadableModule"}),
    "training": ({"training", "archive", "commands", "engine"}, set()),
    "training scene": ({"training", "scene", "engine"}, {"slicer"}),
    "training gui": ({"training", "training scene", "training gui", "gui", "scene", "engine"}, SLICER),
}
# part -> its folders and files from the ground up: each may import itself and those before it, never one after it.
FLOORS = {
    "LiverLesionCascadeLib.engine": (
        *("errors", "files", "resources", "findings", "codes", "progress", "signals"),
        *("grid", "scan", "model", "measures", "results", "passes", "corrections", "reports"),
        *("run_options", "segmenter", "loading", "source_run"),
    ),
    "LiverLesionCascadeLib.scene": ("nodes", "workspace", "tools", "headless"),
    "LiverLesionCascadeLib.gui": (
        "install",
        "runs",
        "widgets",
        "section",
        "lesions",
        "sections",
        "panel",
        "registered",
    ),
    "LiverLesionCascadeTrainingLib": (
        *("recipes", "cases", "layouts", "datasets", "slices", "runs", "pretrained", "training"),
        *("evaluation", "bundles", "studies", "commands", "scene_case", "gui"),
    ),
}
#: Python files in a folder, and lines in a file (a module file's: 500).
MOST_FILES, MOST_LINES, MOST_LINES_OF_A_MODULE = 12, 400, 500
# The training's link to MRML is one file.
TRAINING_SCENE = "scene_case"
# The command line stands above all parts but gui, and works without the application.
COMMAND_LINE = ({"commands", "archive", "outputs", "scene", "worker", "engine", "training", ""}, set())


def importing_files():
    files = [(path, _part(path)) for path in sorted(LIBRARY.rglob("*.py"))]
    return files + [(path, own_part(".".join(_package(path) + [path.stem]))) for path in sorted(TRAINING.rglob("*.py"))]


def _part(path):
    relative = path.relative_to(LIBRARY)
    return relative.parts[0] if len(relative.parts) > 1 else ""


def imported(path):
    """Absolute names of all modules that a file imports, anywhere in it."""
    package = _package(path)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, *((node.module or "").split(".") if node.module else [])])
            # "from . import x" names a module by its alias.
            yield from ((node.lineno, f"{name}.{alias.name}") for alias in node.names)


def _package(path):
    root = LIBRARY.parent if path.is_relative_to(LIBRARY) else TRAINING.parent
    return list(path.relative_to(root).parent.parts)


def own_part(name):
    """The part of our library that a module name belongs to, None for other packages."""
    names = name.split(".")
    if names[0] == TRAINING.name:
        return {"gui": "training gui", TRAINING_SCENE: "training scene"}.get("".join(names[1:2]), "training")
    if names[0] != LIBRARY.name:
        return None
    return names[1] if len(names) > 1 and (LIBRARY / names[1]).is_dir() else ""


def violations(path, part):
    parts, packages = ALLOWED.get(part, COMMAND_LINE)
    for line, name in imported(path):
        top = name.split(".")[0]
        target = own_part(name)
        if top in SLICER and top not in packages:
            yield f"{path.relative_to(REPOSITORY)}:{line} imports {top}"
        elif top in MODULE_FILES:
            yield f"{path.relative_to(REPOSITORY)}:{line} imports the module file {top}"
        # The library's own root holds nothing but its version, which every part may read.
        elif target is not None and target not in parts | {""}:
            yield f"{path.relative_to(REPOSITORY)}:{line} imports {target} ({name})"


def test_imports_run_one_way_and_only_the_gui_uses_qt():
    found = [each for path, part in importing_files() for each in violations(path, part)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("part", "source", "message"),
    [
        ("engine", "from ..scene.volume import ctVolumeFromNode", "imports scene"),
        ("engine", "def f():\n    import vtk", "imports vtk"),
        ("scene", "import qt", "imports qt"),
        ("scene", "from LiverLesionCascadeLib.worker import client", "imports worker"),
        ("scene", "import LiverLesionCascade", "imports the module file"),
        ("engine", "from LiverLesionCascadeTrainingLib import cases", "imports training"),
        ("worker", "from .. import scene", "imports scene"),
        ("worker", "import slicer", "imports slicer"),
        ("training", "from .gui import training_panel", "imports training gui"),
        ("training", "from . import scene_case", "imports training scene"),
        ("training", "import slicer", "imports slicer"),
        ("training scene", "import qt", "imports qt"),
    ],
)
def test_a_wrong_import_would_be_found(tmp_path, monkeypatch, part, source, message):
    library = tmp_path / "LiverLesionCascade" / "LiverLesionCascadeLib"
    for name in ("engine", "scene", "worker"):
        (library / name).mkdir(parents=True)
    training = tmp_path / TRAINING.parent.name / TRAINING.name
    training.mkdir(parents=True)
    path = (training if part.startswith("training") else library / part) / "example.py"
    path.write_text(source, encoding="utf-8")
    monkeypatch.setitem(globals(), "LIBRARY", library)
    monkeypatch.setitem(globals(), "TRAINING", training)
    monkeypatch.setitem(globals(), "REPOSITORY", tmp_path)
    (found,) = violations(path, part)
    assert message in found


def module_of(path):
    return ".".join([*_package(path), path.stem]).removesuffix(".__init__")


def own_imports():
    """{module: the modules of ours that it imports}, by the names of their files."""
    files = {module_of(path): path for path, _ in importing_files()}
    found = {}
    for module, path in files.items():
        names = {name for _, name in imported(path)}
        # "from .x import f" is written down as ".x.f": the module is the longest beginning that is a file.
        found[module] = {name if name in files else name.rpartition(".")[0] for name in names} & files.keys()
    return found


def climbs(part, floors, modules):
    """Imports within a part that go up."""

    def floor(module):
        return floors.index(module.removeprefix(f"{part}.").split(".")[0])

    inside = {module: names for module, names in modules.items() if module.startswith(f"{part}.")}
    for module, names in inside.items():
        yield from (f"{module} imports {name}" for name in names & inside.keys() if floor(name) > floor(module))


@pytest.mark.parametrize("part", FLOORS)
def test_within_a_part_no_floor_imports_one_above_it(part):
    found = list(climbs(part, FLOORS[part], own_imports()))
    assert not found, "\n".join(found)


def test_an_import_upwards_would_be_found():
    modules = {"a.low.x": {"a.high.y", "a.low.z"}, "a.low.z": set(), "a.high.y": {"a.low.x"}}
    assert list(climbs("a", ("low", "high"), modules)) == ["a.low.x imports a.high.y"]


def circles(modules):
    """Modules that import each other in a circle: what is left when those that import nothing left are taken away."""
    left = dict(modules)
    while free := [module for module, names in left.items() if not (names - {module}) & left.keys()]:
        for module in free:
            del left[module]
    return sorted(left)


def test_no_modules_import_each_other_in_a_circle():
    assert circles(own_imports()) == []
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["a", "b", "c"]


def test_folders_and_files_stay_small_enough_to_find_things():
    files = [path for path, _ in importing_files()]
    crowded = {folder for folder in {path.parent for path in files} if len(list(folder.glob("*.py"))) > MOST_FILES}
    assert not crowded
    assert not [path for path in files if length(path) > MOST_LINES]
    modules = [LIBRARY.parent / "LiverLesionCascade.py", TRAINING.parent / "LiverLesionCascadeTraining.py"]
    assert not [path for path in modules if length(path) > MOST_LINES_OF_A_MODULE]


def length(path):
    return len(path.read_text(encoding="utf-8").splitlines())


def modules_of(part):
    return sorted(
        ".".join(path.relative_to(LIBRARY.parent).with_suffix("").parts)
        for path in (LIBRARY / part).rglob("*.py")
        if path.name != "__init__.py"
    )


def run(code):
    """Run Python in a process of its own, with only our two folders on the path; returns what it prints."""
    paths = [str(LIBRARY.parent), str(TRAINING.parent)]
    program = f"import sys\nsys.path[:0] = {paths!r}\n{code}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


BLOCK = f"""
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {sorted(SLICER)}:
            raise ImportError(f"{{name}} is blocked")
sys.meta_path.insert(0, Blocker())
"""


@pytest.mark.parametrize("part", ["engine", "worker"])
def test_every_module_can_be_imported_without_slicer_vtk_and_qt(part):
    imports = "\n".join(f"import {name}" for name in modules_of(part))
    assert run(f"{BLOCK}\n{imports}\nprint('done')").strip() == "done"


def test_the_package_its_command_line_and_the_volumes_are_imported_without_torch():
    code = """
import LiverLesionCascadeLib.api
import LiverLesionCascadeLib.cli
import LiverLesionCascadeLib.engine
import LiverLesionCascadeLib.engine.model.bundle
import LiverLesionCascadeLib.engine.scan.ct_volume
import LiverLesionCascadeLib.engine.results.result
import LiverLesionCascadeLib.engine.run_options
import LiverLesionCascadeLib.worker.client
print(sorted({name.split('.')[0] for name in sys.modules} & {'torch', 'slicer', 'vtk'}))
"""
    assert run(code).strip() == "[]"


def test_the_scene_layer_is_imported_without_torch_and_qt():
    code = """
import LiverLesionCascadeLib.scene.headless
import LiverLesionCascadeLib.scene.workspace.segmentation
import LiverLesionCascadeLib.scene.nodes.storage
import LiverLesionCascadeLib.scene.nodes.volume
print(sorted({name.split('.')[0] for name in sys.modules} & {'torch', 'qt', 'ctk', 'PySide6'}))
"""
    assert run(code).strip() == "[]"
