"""What Slicer's Extensions Index checks before it lists an extension, and what its packages need, in one command.

    python Testing/tools/release_check.py

Prints a line a check and returns 1 where one fails. Needs no network: that the pictures' addresses answer and that the
repository has the topic `3d-slicer-extension` can only be seen where it is published; the index checks both.
"""

import json
import re
import struct
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import jsonschema

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools import refresh_cmake_lists as lists

REPOSITORY = lists.REPOSITORY
NAME = "LiverLesionCascade"
ENTRY = REPOSITORY / "Resources" / f"{NAME}.json"

MAXIMUM_MB = 60
"""The index refuses 100 MB, history included, where every bundle stays: from here on, they need another place."""

TOPIC = "3d-slicer-extension"
SCREENSHOT_PIXELS = 640
ICON_PIXELS = 128

SCHEMA = {
    "type": "object",
    "required": ["$schema", "category", "scm_url", "scm_revision"],
    "additionalProperties": False,
    "properties": {
        "$schema": {
            "type": "string",
            "pattern": r"/slicer-extension-catalog-entry-schema-v1\.0\.2\.json#?$",
        },
        "category": {"const": "Segmentation"},
        "scm_url": {"type": "string", "pattern": "^(https|git)://"},
        "scm_revision": {"type": "string", "minLength": 1},
        "scm_type": {"enum": ["git", "local"]},
        "build_dependencies": {"type": "array", "items": {"type": "string", "minLength": 1}},
        "dicom_support_rule": {"type": "string"},
        "build_subdirectory": {"type": "string", "minLength": 1},
        "enabled": {"type": "boolean"},
        "tier": {"type": "integer", "minimum": 1, "maximum": 5},
    },
}
"""The fields of version 1.0.2 of the index's entries; a category of ours, and a revision where the pictures are."""


def cmakeFields(text):
    """{field: value} of the extension's description in its CMakeLists.txt, as the index reads it: no variables."""
    return dict(re.findall(r'^set\((EXTENSION_\w+) "([^"]+)"\)', text, re.MULTILINE))


def entryProblems(text):
    """:param text: of the entry, LiverLesionCascade.json."""
    if "\r" in text:
        return ["it has line ends other than LF"]
    try:
        entry = json.loads(text)
    except json.JSONDecodeError as error:
        return [f"it is no JSON: {error}"]
    validator = jsonschema.Draft7Validator(SCHEMA)
    return [f"{'/'.join(map(str, error.path)) or 'entry'}: {error.message}" for error in validator.iter_errors(entry)]


def nameProblems(entry, cmake):
    """Names of the extension, its project and its repository."""
    problems = []
    project = re.search(r"^project\((\S+?)\)", cmake, re.MULTILINE)
    if not project or project[1] != NAME:
        problems.append(f"the project in CMakeLists.txt is not named {NAME}, like the entry")
    if NAME.lower().startswith("slicer"):
        problems.append("the extension's name begins with Slicer")
    repository = urlsplit(entry["scm_url"]).path.rstrip("/").rsplit("/", 1)[-1].removesuffix(".git")
    if not repository.startswith("Slicer"):
        problems.append(f"the repository's name {repository} does not begin with Slicer")
    homepage = cmakeFields(cmake).get("EXTENSION_HOMEPAGE", "")
    if entry["scm_url"].removesuffix(".git") != homepage:
        problems.append(f"scm_url and EXTENSION_HOMEPAGE ({homepage}) are not the same repository")
    return problems


def descriptionProblems(entry, cmake):
    """The description in CMakeLists.txt, and that it says what the entry says."""
    fields = cmakeFields(cmake)
    wanted = ("HOMEPAGE", "CATEGORY", "CONTRIBUTORS", "DESCRIPTION", "ICONURL", "SCREENSHOTURLS")
    problems = [f"EXTENSION_{name} is missing" for name in wanted if not fields.get(f"EXTENSION_{name}")]
    if fields.get("EXTENSION_CATEGORY") != entry["category"]:
        problems.append("EXTENSION_CATEGORY is not the entry's category")
    depends = re.search(r'^set\(EXTENSION_DEPENDS "(.*?)"\)', cmake, re.MULTILINE)
    if (depends[1].split() if depends else []) != entry.get("build_dependencies", []):
        problems.append("EXTENSION_DEPENDS does not name the entry's build_dependencies")
    for line in ("find_package(Slicer REQUIRED)", "Slicer_EXTENSION_GENERATE_CONFIG", "Slicer_EXTENSION_CPACK"):
        if line not in cmake:
            problems.append(f"{line} is missing")
    return problems


def pictureProblems(entry, cmake, repository=REPOSITORY):
    """The icon and the screenshots: addresses that lead to pictures in the repository, large enough."""
    fields = cmakeFields(cmake)
    owner = urlsplit(entry["scm_url"]).path.removesuffix(".git")
    raw = f"https://raw.githubusercontent.com{owner}/{entry['scm_revision']}/"
    problems = []
    for field, pixels in (("EXTENSION_ICONURL", ICON_PIXELS), ("EXTENSION_SCREENSHOTURLS", SCREENSHOT_PIXELS)):
        for url in fields.get(field, "").split():
            path = repository / url.removeprefix(raw)
            if not url.startswith(raw):
                problems.append(f"{url} is not an address of the repository's files, {raw}...")
            elif not path.is_file():
                problems.append(f"{url.removeprefix(raw)} is not in the repository")
            elif (size := pngSize(path)) is None:
                problems.append(f"{url.removeprefix(raw)} is no PNG")
            elif size[0] < pixels:
                problems.append(f"{url.removeprefix(raw)} is {size[0]} pixels wide, less than {pixels}")
    return problems


def pngSize(path):
    """(width, height) in pixels; None for what is no PNG."""
    head = path.read_bytes()[:24]
    return struct.unpack(">II", head[16:24]) if head.startswith(b"\x89PNG\r\n\x1a\n") and len(head) == 24 else None


def packagingProblems():
    """Files that the build would not install."""
    problems = []
    for module in lists.MODULES:
        there, listed = lists.files_of(module), lists.listed_in(module)
        for kind in lists.LISTS:
            for file in sorted(set(there[kind]) ^ set(listed[kind])):
                what = "is not listed" if file in there[kind] else "is listed but does not exist"
                problems.append(f"{module}/{file} {what} in {module}/CMakeLists.txt: run {lists.SCRIPT}")
    return problems


def documentProblems(repository=REPOSITORY):
    """What reviewers look for in a repository's first files."""
    problems = []
    if not (repository / "LICENSE").is_file():
        problems.append("LICENSE is missing")
    if not (repository / "CITATION.cff").is_file():
        problems.append("CITATION.cff is missing")
    readme = repository / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
    for what, found in (
        ("a picture", "![" in text),
        ("both modules by name", all(module in text for module in lists.MODULES)),
        ("how to cite", "Bi et al" in text),
        ("a tutorial", "## In 3D Slicer" in text),
        ("what it is not for", "research use only" in text.lower()),
    ):
        if not found:
            problems.append(f"README.md lacks {what}")
    for path in re.findall(r"!\[[^]]*\]\(([^)#]+)\)", text):
        if "://" not in path and not (repository / path).is_file():
            problems.append(f"README.md shows {path}, which is not there")
    return problems


def sizeProblems(repository=REPOSITORY, maximumMb=MAXIMUM_MB):
    """The history, the present files included, as a clone transfers it."""
    if git(repository, "rev-parse", "--is-shallow-repository").strip() == b"true":
        return ["this clone has not the whole history: git fetch --unshallow"]
    megabytes = repositoryBytes(repository) / 2**20
    return [f"the repository has {megabytes:.1f} MB, more than {maximumMb}"] if megabytes > maximumMb else []


def repositoryBytes(repository):
    objects = git(repository, "rev-list", "--objects", "--no-object-names", "HEAD")
    return sum(map(int, git(repository, "cat-file", "--batch-check=%(objectsize:disk)", given=objects).split()))


def git(repository, *arguments, given=None):
    return subprocess.run(["git", *arguments], cwd=repository, check=True, capture_output=True, input=given).stdout


def main():
    entryText = ENTRY.read_text(encoding="utf-8")
    cmake = (REPOSITORY / "CMakeLists.txt").read_text(encoding="utf-8")
    if problems := entryProblems(entryText):
        return report([("index entry", problems)])  # the other checks read it
    entry = json.loads(entryText)
    checks = [
        ("index entry", []),
        ("names", nameProblems(entry, cmake)),
        ("description", descriptionProblems(entry, cmake)),
        ("icon and screenshots", pictureProblems(entry, cmake)),
        ("packaged files", packagingProblems()),
        ("licence, citation, README", documentProblems()),
        (f"size {repositoryBytes(REPOSITORY) / 2**20:.0f} MB of {MAXIMUM_MB}", sizeProblems()),
    ]
    code = report(checks)
    print(f"To be seen only where it is published: the topic {TOPIC}, and that the pictures' addresses answer.")
    return code


def report(checks):
    """Prints each check; 1 where one has problems."""
    for name, problems in checks:
        print(f"{'failed' if problems else 'passed'}  {name}")
        for problem in problems:
            print(f"        {problem}")
    return int(any(problems for _, problems in checks))


if __name__ == "__main__":
    sys.exit(main())
