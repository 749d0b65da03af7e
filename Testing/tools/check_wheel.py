"""Checks what a wheel and a source distribution hold: the code, the bundle, the report's files, and no tests or data.

python Testing/tools/check_wheel.py FOLDER
"""

import sys
import tarfile
import zipfile
from pathlib import Path

WANTED = (
    "LiverLesionCascadeLib/cli.py",
    "LiverLesionCascadeTrainingLib/recipes.py",
    "Resources/Bundles/lits-compact/weights.pt",
    "Resources/Bundles/lits-compact/metadata.json",
    "Resources/Report/page.html",
)
UNWANTED = ("Testing/", "test_", "conftest", ".nii", ".dcm", "Screenshots", "__pycache__")


def names(archive: Path) -> list[str]:
    """The files in a wheel or a source distribution."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as file:
            return file.namelist()
    with tarfile.open(archive) as file:
        return file.getnames()


def problems(archive: Path) -> list[str]:
    """What is missing in an archive, and what should not be there."""
    held = names(archive)
    missing = [f"lacks {wanted}" for wanted in WANTED if not any(name.endswith(wanted) for name in held)]
    return missing + [f"holds {name}" for name in held if any(part in name for part in UNWANTED)]


def main(folder: Path) -> int:
    archives = [*folder.glob("*.whl"), *folder.glob("*.tar.gz")]
    if len(archives) != 2:
        print(f"error: {folder} should hold one wheel and one source distribution, not {len(archives)} archives")
        return 1
    found = {archive.name: problems(archive) for archive in archives}
    for name, said in found.items():
        print("\n".join([f"{name}: {line}" for line in said] or [f"passed  {name}"]))
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
