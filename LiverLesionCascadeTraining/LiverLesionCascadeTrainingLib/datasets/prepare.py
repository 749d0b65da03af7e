"""Turns labelled scans of any layout into one prepared data set; says everything that is wrong with them at once."""

from __future__ import annotations

import errno
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from filelock import Timeout
from LiverLesionCascadeLib.engine.errors import CascadeError, InputError, OutputError, reason

from ..cases.case_source import CaseSource, Found, check_descriptions, duplicate_names, natural_order
from ..cases.labels import require_liver, with_lesions_unknown
from ..cases.problems import DataProblems, Problem
from ..cases.splits import SPLITS, TRAIN, VALIDATION, split_patients
from ..layouts.dicom_seg import find_dicom
from ..layouts.lits import find_lits
from ..layouts.msd import find_msd, is_msd
from ..layouts.slicer_folder import find_slicer
from .dataset_report import DataReport, data_report
from .folder_lock import alone_in
from .prepared import (
    CASES,
    CaseRecord,
    PreparedCase,
    PreparedDataset,
    case_folder,
    is_prepared,
    open_dataset,
    read_record,
    write_case,
    write_dataset,
)

#: Called before each case with the number of cases done, of all, and the case's name; at the end once with "".
#: An exception that it raises stops the preparation; what is done stays and is not done again.
Progress = Callable[[int, int, str], None]

DEFAULT_SEED = 2017
#: 13 of the 131 LiTS volumes, as in the paper.
DEFAULT_SHARE = 0.1


def prepare(
    sources: Sequence[Path],
    folder: Path,
    validation: Sequence[Path] = (),
    seed: int = DEFAULT_SEED,
    share: float = DEFAULT_SHARE,
    ignore: Sequence[str] = (),
    skip_problems: bool = False,
    progress: Progress | None = None,
    lesions_unknown: Sequence[Path] = (),
) -> DataReport:
    """Prepares a data set, or brings one up to date: only cases whose files have changed are read again.

    Args:
        sources: Folders in any layout of :func:`find_sources`.
        folder: The data set's folder; created.
        validation: Folders with the cases for validation; none: a share of the patients is drawn.
        seed, share: Of that draw. Patients of an earlier preparation with the same seed and share keep their split.
        ignore: Names of segments that are neither liver nor lesion and do not matter; ``*`` for any characters.
        skip_problems: Leave cases with problems out instead of refusing all.
        lesions_unknown: More folders, for training, in which nobody has looked for lesions: their livers alone are
            learned from.

    Returns:
        What the data set holds.

    Raises:
        DataProblems: Everything that is wrong with any case. An earlier data set in the folder stays as it was, except
            for cases that have changed.
        OutputError: If the folder cannot be written to, or holds what is not ours to replace.
    """
    training, others = _search(sources, ignore), _search(validation, ignore)
    livers = _search(lesions_unknown, ignore)
    livers.cases = [replace(case, lesions_unknown=True) for case in livers.cases]
    training.add(livers)
    found = Found()
    found.add(training)
    found.add(others)
    cases = found.cases
    problems = found.problems + duplicate_names(cases) + _in_both(training.cases, others.cases)
    _require_own(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with alone_in(folder):
            records = _cache(cases, folder, problems, progress)
            problems += _same_scan(cases, records)
            bad = {problem.case for problem in problems}
            good = [case for case in cases if case.name in records and case.name not in bad]
            if problems and not skip_problems:
                raise DataProblems(problems)
            if not good:
                raise DataProblems([*problems, Problem("", "no case is left to prepare")])
            splits = _assign(good, records, folder, seed, share, {case.name for case in others.cases})
            left_out = [*(str(problem) for problem in problems), *found.notes]
            write_dataset(PreparedDataset(folder, seed, share, splits, left_out))
            _remove_others(folder, {case.name for case in good})
    except Timeout as error:
        raise OutputError(f"{folder} is being prepared by another process: wait for it, or stop it") from error
    except OSError as error:
        why = "the disk is full" if error.errno == errno.ENOSPC else reason(error)
        raise OutputError(f"{folder} cannot be written: {why}. Free some space or choose another folder.") from error
    return data_report(folder)


def find_sources(folder: Path, ignore: Sequence[str] = ()) -> Found:
    """The cases of a folder, whatever its layout: LiTS, Medical Segmentation Decathlon, saved from Slicer, or DICOM.

    Raises:
        InputError: If the folder is missing, or nothing in it is a labelled scan.
    """
    if not os.path.isdir(folder):
        raise InputError(f"Folder {folder} does not exist")
    if is_prepared(folder):
        raise InputError(f"{folder} is a prepared data set already: train on it, or prepare the folders it came from")
    if is_msd(folder):
        return find_msd(folder, tuple(ignore))
    found = find_lits(folder)
    found.add(find_slicer(folder, tuple(ignore)))
    check_descriptions(folder, found)
    found.add(find_dicom(folder, tuple(ignore)))
    if not found.cases and not found.problems:
        raise InputError(
            f"{folder} holds no labelled scans: neither volume-N.nii.gz with segmentation-N.nii.gz (LiTS), nor "
            "dataset.json with imagesTr and labelsTr (Decathlon), nor a CT with a .seg.nrrd, nor CT with DICOM SEG"
            + "".join(f"; {note}" for note in found.notes)
        )
    return found


def _require_own(folder: Path) -> None:
    """Cases are replaced and removed in the folder: nothing of anybody else's may be among them."""
    other = [] if is_prepared(folder) else [folder / "dataset.json"]
    if (folder / CASES).is_dir():
        other += [p for p in (folder / CASES).iterdir() if p.suffix != ".partial" and not (p / "case.json").is_file()]
    found = next((path for path in other if path.exists()), None)
    if found is not None:
        raise OutputError(f"{found} is no part of a prepared data set: choose another folder, or an empty one")


def _search(folders: Iterable[Path], ignore: Sequence[str]) -> Found:
    found = Found()
    for folder in folders:
        try:
            found.add(find_sources(folder, ignore))
        except InputError as error:
            found.problems.append(Problem("", str(error)))
    found.cases.sort(key=natural_order)
    return found


def _in_both(train: list[CaseSource], validation: list[CaseSource]) -> list[Problem]:
    training = defaultdict(list)
    for case in train:
        training[case.patient].append(case.name)
    return [
        Problem(
            case.name,
            f"patient {case.patient} is for validation here and for training in case "
            f"{', '.join(training[case.patient])}: remove one side",
        )
        for case in validation
        if case.patient in training
    ]


def _cache(
    cases: list[CaseSource], folder: Path, problems: list[Problem], progress: Progress | None
) -> dict[str, CaseRecord]:
    """Reads and writes what has changed; adds problems of single cases to the list."""
    records: dict[str, CaseRecord] = {}
    report = progress or (lambda *_: None)
    for number, case in enumerate(cases):
        report(number, len(cases), case.name)
        if case.name in records:
            continue  # two of one name: said already
        try:
            fingerprint = case.fingerprint()
        except OSError as error:
            problems.append(Problem(case.name, f"{error.filename} cannot be read: {reason(error)}"))
            continue
        place = case_folder(folder, case.name)
        record = read_record(place)
        if record is None or record.fingerprint != fingerprint:
            try:
                ct, labels = case.read()
                ct.require_ct_like()
                require_liver(labels)
                case.positions_mm(len(ct.hu), ct.spacing[0])
                if case.lesions_unknown:
                    labels = with_lesions_unknown(labels)
            except CascadeError as error:
                problems.append(Problem(case.name, f"{error} ({case.files[0]})"))
                continue
            record = write_case(place, case, fingerprint, ct, labels)
        records[case.name] = record
    report(len(cases), len(cases), "")
    return records


def _same_scan(cases: list[CaseSource], records: dict[str, CaseRecord]) -> list[Problem]:
    """Copies of one scan: harmless twins they are not, as one may be for training and the other for validation."""
    first: dict[str, str] = {}
    problems = []
    for case in cases:
        if case.name not in records:
            continue
        other = first.setdefault(records[case.name].content, case.name)
        if other != case.name:
            problems.append(Problem(case.name, f"it is the same scan as case {other}: remove one of them"))
    return problems


def _assign(
    cases: list[CaseSource],
    records: dict[str, CaseRecord],
    folder: Path,
    seed: int,
    share: float,
    for_validation: set[str],
) -> dict[str, list[PreparedCase]]:
    patients = defaultdict(list)
    for case in cases:
        patients[case.patient].append(case)
    if for_validation:
        split = {case.patient: VALIDATION if case.name in for_validation else TRAIN for case in cases}
    else:
        # Cases in which nobody has looked for lesions are for training: they would say nothing of lesions elsewhere.
        # Those who were assigned otherwise earlier stay there all the same: networks were validated on them.
        unlooked = {name for name, each in records.items() if each.lesions_unknown and not each.lesion_slices}
        earlier = _earlier(folder, seed, share)
        groups = {
            patient: (all(case.sparse for case in own), any(records[case.name].lesion_slices for case in own))
            for patient, own in patients.items()
            if not all(case.name in unlooked for case in own)
        }
        kept = {patient: side for patient, side in earlier.items() if patient in patients}
        split = dict.fromkeys(patients, TRAIN) | split_patients(groups, share, seed, earlier) | kept
    splits: dict[str, list[PreparedCase]] = {name: [] for name in SPLITS}
    for case in cases:
        place = case_folder(folder, case.name)
        splits[split[case.patient]].append(PreparedCase(case.name, case.patient, case.sparse, place))
    return splits


def _earlier(folder: Path, seed: int, share: float) -> dict[str, str]:
    try:
        dataset = open_dataset(folder, complete=False)
    except InputError:
        return {}
    if (dataset.seed, dataset.share) != (seed, share):
        return {}
    return {case.patient: split for split, cases in dataset.splits.items() for case in cases}


def _remove_others(folder: Path, names: set[str]) -> None:
    """Cases of an earlier preparation that are no longer among the sources."""
    for place in (folder / CASES).iterdir():
        if place.is_dir() and place.name not in names:
            shutil.rmtree(place, ignore_errors=True)
