"""Files that are read in one go, and folders in which one guess finds them."""

import subprocess
from collections import Counter
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
MOST_LINES, MOST_LINES_OF_A_MODULE, MOST_FILES = 400, 500, 12


def product_files():
    """The Python files of both modules and their libraries that git knows or would know."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "*.py"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    paths = [Path(name) for name in listed if name.startswith("LiverLesionCascade")]
    return [path for path in paths if "Testing" not in path.parts and (REPOSITORY / path).is_file()]


def test_no_file_is_long():
    long = []
    for path in product_files():
        most = MOST_LINES if "Lib" in path.parts[1] else MOST_LINES_OF_A_MODULE
        count = len((REPOSITORY / path).read_text(encoding="utf-8").splitlines())
        if count > most:
            long.append(f"{path}: {count} lines, {most} at most")
    assert not long, "\n".join(long)


def test_no_folder_is_full():
    full = {str(folder): n for folder, n in Counter(path.parent for path in product_files()).items() if n > MOST_FILES}
    assert not full, f"more than {MOST_FILES} Python files: {full}"


def test_files_are_found():
    assert Path("LiverLesionCascade/LiverLesionCascadeLib/engine/segmenter.py") in product_files()
    assert len(product_files()) > 200
