"""Renew ``slicer_harness/api/slicer_names.json``: the names of the Slicer, CTK and Qt classes that are used here.

    python Testing/tools/trim_api.py [FOLDER]     write the list from the full catalogues in FOLDER
    python Testing/tools/trim_api.py --check      compare it with them

The catalogues (``slicer_api.json`` from the C++ headers, ``pythonqt_dump.json`` from a running Slicer) are too large
for the repository; FOLDER is ../shared/slicer_harness/api if not given. Run this after using a class the first time.
"""

import argparse
import json
import re
import sys
from pathlib import Path

from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

REPOSITORY = Path(__file__).resolve().parents[2]
CATALOGUES = REPOSITORY.parent / "shared" / "slicer_harness" / "api"
OUTPUT = REPOSITORY / "Testing" / "slicer_harness" / "api" / "slicer_names.json"

# Classes behind slicer.app and its like, which no source names.
FACADES = ("qSlicerApplication", "qSlicerAbstractModule", "qSlicerIOManager", "qSlicerLayoutManager")
CLASS_NAME = re.compile(r"\b((?:qMRML|qSlicer|ctk)\w+|Q[A-Z]\w+)\b")
KINDS = ("bases", "properties", "signals", "slots", "invokables", "enums")


def sources():
    """All files that may name a class: the modules', their panels, the harness and its tests."""
    for folder in ("LiverLesionCascade", "LiverLesionCascadeTraining", "Testing"):
        for suffix in ("*.py", "*.ui"):
            yield from sorted((REPOSITORY / folder).rglob(suffix))


def used_names():
    names = set(FACADES)
    for path in sources():
        names.update(CLASS_NAME.findall(path.read_text(encoding="utf-8")))
    return names


def trimmed(folder):
    api = json.loads((folder / "slicer_api.json").read_text(encoding="utf-8"))
    dump = json.loads((folder / "pythonqt_dump.json").read_text(encoding="utf-8"))["classes"]
    names = used_names()
    return {
        "names": {name: 1 for name in sorted(names)},  # so that an outdated list shows without the catalogues, too
        "classes": _slicer_classes(api, names),
        "pythonqt": _qt_classes(dump, names) | _functions(api, dump, names),
    }


def _slicer_classes(api, names):
    """The classes used and all their bases."""
    wanted, found = [name for name in sorted(names) if name in api], {}
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = {kind: api[name][kind] for kind in KINDS}
            wanted += [base for base in api[name]["bases"] if base in api]
    return dict(sorted(found.items()))


def _qt_classes(dump, names):
    """What Python sees of each Qt class, as difference to its base class, so that the list stays small."""
    found = {}

    def add(name):
        if name in found or f"qt.{name}" not in dump:
            return
        base = _qt_base(name)
        base = base if base and f"qt.{base}" in dump else ""
        members = set(dump[f"qt.{name}"])
        inherited = set(dump[f"qt.{base}"]) if base else set()
        found[name] = {
            "base": base,
            "members": sorted(members - inherited),
            "without": sorted(inherited - members),
        }
        add(base)

    for name in sorted(names):
        add(name)
    return dict(sorted(found.items()))


def _functions(api, dump, names):
    """What no header declares as a class: functions that CTK gives Python under a class's name."""
    found = {name: dump[f"ctk.{name}"] for name in sorted(names) if name not in api and f"ctk.{name}" in dump}
    return {name: {"base": "", "members": sorted(members), "without": []} for name, members in found.items()}


def _qt_base(name):
    for module in (QtWidgets, QtGui, QtCore, QtUiTools):
        cls = getattr(module, name, None)
        if isinstance(cls, type):
            return cls.__bases__[0].__name__ if cls.__bases__[0] is not object else ""
    return ""


def serialized(content):
    """JSON with one class a line: small, and changes can be read."""
    parts = []
    for section, classes in content.items():
        lines = [
            f"{json.dumps(name)}: {json.dumps(entry, separators=(',', ':'), sort_keys=True)}"
            for name, entry in classes.items()
        ]
        parts.append(f"{json.dumps(section)}: {{\n" + ",\n".join(lines) + "\n}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=CATALOGUES)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    if not options.folder.is_dir():
        print(f"{options.folder} is not there: the full catalogues are needed.", file=sys.stderr)
        return 2
    text = serialized(trimmed(options.folder))
    if options.check:
        same = OUTPUT.read_text(encoding="utf-8") == text
        print(f"{OUTPUT.name} is {'up to date' if same else 'out of date: run Testing/tools/trim_api.py'}")
        return int(not same)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(text, encoding="utf-8")
    print(f"{OUTPUT}: {len(text) / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
