"""Finds what an archive holds: a tree of DICOM series and image files, or a CSV of paths."""

from __future__ import annotations

import csv
import filecmp
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..engine.errors import CascadeError, InputError, reason
from ..engine.scan.dicom.dicom_io import MIN_SLICES
from ..engine.scan.image_io import READABLE, image_stem
from .dicom_folder import FolderContents, FolderFiles, SeriesPart, dicom_below, scan_folder
from .entries import Entry, entry_name, files_fingerprint, image_files

#: Reads the headers of many folders' files; a cluster's workers can do that.
ScanFolders = Callable[[list[FolderFiles]], Iterable[FolderContents]]

_COMPARED = 1 << 16


def scan_here(folders: list[FolderFiles]) -> Iterable[FolderContents]:
    """Reads them in this process."""
    return map(scan_folder, folders)


def find_entries(archive: Path, scan_folders: ScanFolders = scan_here, leave_out: Path | None = None) -> list[Entry]:
    """Every case, and every file or folder that gives none with the reason; sorted by place.

    A case is an image file or an axial CT series of DICOM files, wherever its files lie. Hidden files are passed over.

    Args:
        archive: A folder, or a CSV file with a column ``path`` (relative to the CSV) and perhaps ``series``; with
            commas, semicolons or tabs.
        leave_out: A folder in the tree that is not searched, such as that of the results.

    Raises:
        InputError: If it is neither, or holds nothing.
    """
    require_archive(archive)
    entries = _tree(archive, scan_folders, leave_out) if os.path.isdir(archive) else _listed(archive)
    if not entries:
        raise InputError(f"{archive} is empty: give a folder with DICOM series, NIfTI, NRRD or MHA files, or a CSV.")
    return sorted(entries, key=lambda entry: (entry.source, entry.series or ""))


def require_archive(archive: Path) -> None:
    """Raises InputError if it is no folder and no CSV file."""
    if not os.path.isdir(archive) and not (archive.suffix.lower() == ".csv" and os.path.isfile(archive)):
        raise InputError(f"{archive} is no archive: give a folder, or a CSV file with a column named path.")


@dataclass
class _Tree:
    images: list[Path] = field(default_factory=list)
    folders: list[FolderFiles] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)


def _tree(root: Path, scan_folders: ScanFolders, leave_out: Path | None) -> list[Entry]:
    tree = _walk(root, leave_out)
    contents = list(scan_folders(tree.folders))
    problems = tree.problems + [problem for folder in contents for problem in folder.problems]
    found = [_problem(root, path, why) for path, why in problems]
    return [*found, *_images(root, tree.images), *_series(root, contents)]


def _walk(root: Path, leave_out: Path | None) -> _Tree:
    """Every folder once, whatever links lead to it; those that are no links first, so that they keep their names."""
    tree = _Tree()
    seen: dict[str, str] = {} if leave_out is None else {os.path.realpath(leave_out): ""}
    waiting = [str(root)]
    while waiting:
        links: list[str] = []
        for start in waiting:
            if known := seen.get(os.path.realpath(start)):
                tree.problems.append((start, f"It is a link to {known}, which is searched already."))
            _walk_folders(start, seen, links, tree)
        waiting = sorted(links)
    return tree


def _walk_folders(start: str, seen: dict[str, str], links: list[str], tree: _Tree) -> None:
    """Adds what is below a folder, unless that is seen already; links to folders are only collected."""
    folders = [start]
    while folders:
        folder = folders.pop()
        real = os.path.realpath(folder)
        if real in seen:
            continue
        seen[real] = folder
        try:
            with os.scandir(folder) as items:
                found = sorted((item for item in items if not item.name.startswith(".")), key=lambda item: item.name)
        except OSError as error:
            tree.problems.append((folder, f"The folder cannot be read ({reason(error)}): check its rights."))
            continue
        others: list[str] = []
        for item in found:
            try:
                if item.is_dir():
                    (links if item.is_symlink() else folders).append(item.path)
                elif not item.is_file():
                    tree.problems.append((item.path, f"{item.name} is a broken link, or no file. Copy the scan there."))
                elif item.name.lower().endswith(READABLE):
                    tree.images.append(Path(item.path))
                else:
                    others.append(item.name)
            except OSError as error:
                tree.problems.append((item.path, f"{item.name} cannot be read ({reason(error)})."))
        if others:
            tree.folders.append((folder, others))


def _images(root: Path, paths: list[Path]) -> Iterator[Entry]:
    by_size: dict[int, list[tuple[bytes, Path]]] = defaultdict(list)
    for path in sorted(paths):
        try:
            size = path.stat().st_size
            sample = _sample(path, size)
            twin = next((other for part, other in by_size[size] if part == sample and _same(path, other)), None)
            if twin is not None and size > 0:
                yield _problem(root, path, f"It is a copy of {_relative(root, twin)}, which is segmented.")
                continue
            by_size[size].append((sample, path))
            source = _relative(root, path)
            fingerprint = files_fingerprint(image_files(path))
            yield Entry(entry_name(image_stem(source), source), source, (str(path),), None, fingerprint)
        except OSError as error:
            yield _problem(root, path, f"{path.name} cannot be read ({reason(error)}): check its rights.")


def _sample(path: Path, size: int) -> bytes:
    """The middle of a file: where scans of one size differ, so that few are compared as a whole."""
    with path.open("rb") as file:
        file.seek(max(0, size // 2 - _COMPARED // 2))
        return file.read(64)


def _same(path: Path, other: Path) -> bool:
    if path.suffix.lower() in (".nhdr", ".mhd"):
        return False  # headers of different voxels may be alike
    return os.path.samefile(path, other) or filecmp.cmp(path, other, shallow=False)


def _series(root: Path, folders: list[FolderContents]) -> Iterator[Entry]:
    """A series is one case wherever its files lie; copies of its images are left out with a word."""
    known: dict[str, list[tuple[str, SeriesPart]]] = defaultdict(list)
    cases: dict[str, list[tuple[str, SeriesPart]]] = defaultdict(list)
    for folder in sorted(folders, key=lambda each: each.folder):
        for part in folder.series:
            copied = next((place for place, other in known[part.uid] if other.contents == part.contents), None)
            if copied is None:
                known[part.uid].append((folder.folder, part))
                # Without a UID nothing says that what lies in two folders belongs together.
                cases[part.uid or folder.folder].append((folder.folder, part))
            else:
                place = _relative(root, copied)
                yield _problem(root, folder.folder, f"{part.title} is a copy of that in {place}, which is segmented.")
    slices = {key: sum(part.slices for _, part in places) for key, places in cases.items()}
    long = [where for key, places in cases.items() for where in places if slices[key] >= MIN_SLICES]
    long_in, studies = {place for place, _ in long}, {part.study for _, part in long if part.study}
    for key, places in cases.items():
        first, part = places[0]
        if not any(part.is_axial for _, part in places):
            yield _problem(root, first, f"{part.title} is not axial: give its original series.")
            continue
        # Scouts and bolus tracking beside a scan are no cases, as `segment` passes them over; a damaged scan is one.
        short = slices[key] < MIN_SLICES and not any(part.is_damaged for _, part in places)
        if short and all(place in long_in for place, _ in places):
            continue
        if short and slices[key] and part.study in studies:
            why = f"{part.title} has {slices[key]} axial slices and is passed over beside a longer series of its study."
            yield _problem(root, first, why)
            continue
        source, title = _relative(root, first), part.title
        name = entry_name(f"{source}_{title.removeprefix('series ')}", part.uid or source)
        fingerprint = "+".join(part.fingerprint for _, part in places)
        yield Entry(name, f"{source}, {title}", tuple(place for place, _ in places), part.uid, fingerprint)


def _listed(table: Path) -> list[Entry]:
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            head = file.readline()
            file.seek(0)
            reader = csv.DictReader(file, delimiter=_delimiter(head))
            reader.fieldnames = [(name or "").strip().casefold() for name in reader.fieldnames or []]
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{table} cannot be read ({error}): save it as CSV in UTF-8.") from error
    if rows and "path" not in rows[0]:
        raise InputError(f"{table} has no column named path: name the column with the scans' paths so.")
    entries: list[Entry] = []
    lines: dict[tuple[str, str | None], int] = {}
    for number, row in enumerate(rows, start=2):
        written, series = (row["path"] or "").strip(), (row.get("series") or "").strip() or None
        if "\0" in written:
            entries.append(_problem_line(table, number, written.replace("\0", "?"), "The path holds a zero byte."))
            continue
        path = table.parent / written
        place = (os.path.realpath(path), series)
        first = lines.setdefault(place, number)
        if not written:
            entries.append(_problem_line(table, number, written, "The line has no path."))
        elif first != number:
            entries.append(_problem_line(table, number, written, f"The same scan as in line {first}."))
        else:
            try:
                files = dicom_below(path) if os.path.isdir(path) else image_files(path)
                identity = written if series is None else f"{written}\n{series}"
                name = entry_name(image_stem(written), identity)
                entries.append(Entry(name, written, (str(path),), series, files_fingerprint(files)))
            except (OSError, CascadeError) as error:
                entries.append(_problem_line(table, number, written, f"{written} cannot be read ({reason(error)})."))
    return entries


def _delimiter(head: str) -> str:
    """What parts the columns: spreadsheets of half of the world write semicolons."""
    for each in ",;\t":
        if "path" in (name.strip(' "').casefold() for name in head.strip().split(each)):
            return each
    return ","


def _problem_line(table: Path, number: int, written: str, why: str) -> Entry:
    source = f"{table.name}, line {number}: {written}"
    return Entry(entry_name(source, source), source, (), problem=why)


def _problem(root: Path, path: str | Path, why: str) -> Entry:
    source = _relative(root, path)
    return Entry(entry_name(source, f"{source}\n{why}"), source, (str(path),), problem=why)


def _relative(root: Path, path: str | Path) -> str:
    relative = Path(path).relative_to(root)
    return relative.as_posix() if relative.parts else root.name or str(root)
