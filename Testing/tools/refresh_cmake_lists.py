"""Write the lists of scripts and resources in the modules' CMakeLists.txt, which Slicer's extension build packages.

    python Testing/tools/refresh_cmake_lists.py

Files that are not listed are missing in the installed extension: run this after adding, moving or deleting one.
"""

import re
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPT = "Testing/tools/refresh_cmake_lists.py"
MODULES = ("LiverLesionCascade", "LiverLesionCascadeTraining")
LISTS = ("SCRIPTS", "RESOURCES")


def files_of(module):
    """{"SCRIPTS": [...], "RESOURCES": [...]}: what is in a module's folder, relative to it, in the lists' order."""
    folder = REPOSITORY / module
    library = sorted(path.relative_to(folder).as_posix() for path in (folder / f"{module}Lib").rglob("*.py"))
    resources = (path for path in (folder / "Resources").rglob("*") if path.is_file())
    shipped = (path for path in resources if not path.name.startswith(".") and path.suffix != ".pyc")
    return {
        "SCRIPTS": [f"{module}.py", *library],
        "RESOURCES": sorted(path.relative_to(folder).as_posix() for path in shipped),
    }


def listed_in(module):
    """The same, as the module's CMakeLists.txt has it."""
    text = (REPOSITORY / module / "CMakeLists.txt").read_text(encoding="utf-8")
    found = {}
    for name in LISTS:
        entries = _pattern(name).search(text)[2].split()
        found[name] = [entry.replace("${MODULE_NAME}", module) for entry in entries]
    return found


def refresh(module):
    """Write both lists of a module; returns whether they changed."""
    path = REPOSITORY / module / "CMakeLists.txt"
    before = text = path.read_text(encoding="utf-8")
    for name, files in files_of(module).items():
        lines = "".join(f"  {file}\n" for file in files)
        text = _pattern(name).sub(lambda match, lines=lines: f"{match[1]}{lines}{match[3]}", text)
    path.write_text(text, encoding="utf-8")
    return text != before


def _pattern(name):
    return re.compile(rf"(set\(MODULE_PYTHON_{name}\n)(.*?)(  \))", re.DOTALL)


def main():
    for module in MODULES:
        print(f"{module}/CMakeLists.txt: {'written' if refresh(module) else 'up to date'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
