"""Lists the picture files below class folders, each real file once."""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from space.errors import InputError, Problem
from space.paths import shown_path
from trainers.data.layout import unreadable
from trainers.data.suffixes import listed_suffixes, suffixes

_Identity = tuple[int, int]


@dataclass(slots=True)
class Listing:
    """The picture files of some classes, in the order of torchvision's ImageFolder.

    Attributes:
        files: paths below the folder. sizes: bytes. labels: class numbers.
        other_suffixes: files that do not count, by suffix. hidden: names that begin with a dot.
        again: files that are there a second time, by another link.
        loose: pictures beside the class folders, of no class.
        faults: what is no file to read, by name.
    """

    files: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    other_suffixes: dict[str, int] = field(default_factory=dict)
    hidden: int = 0
    again: int = 0
    loose: int = 0
    faults: dict[str, str] = field(default_factory=dict)
    _owner: dict[_Identity, tuple[int, str]] = field(default_factory=dict)

    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Sizes and labels."""
        return np.array(self.sizes, np.int64), np.array(self.labels, np.int64)


def list_classes(folder: Path, classes: tuple[str, ...]) -> Listing:
    """List all classes.

    Raises:
        InputError: naming each class without pictures and each part that cannot be read: a part
            is never left out for that.
    """
    found = Listing()
    problems: list[Problem] = []
    for label, name in enumerate(classes):
        before = len(found.files), len(found.faults)
        try:
            _list_class(folder, name, label, found)
        except OSError as error:
            problems.append(unreadable(error, folder / name))
            continue
        if (len(found.files), len(found.faults)) == before:
            place = shown_path(str(folder / name))
            message = f"{place} holds no images; files count that end in {listed_suffixes()}"
            problems.append(Problem("data.folder", message))
    try:
        _count_loose(folder, found)
    except OSError as error:
        problems.append(unreadable(error, folder))
    if problems:
        raise InputError(problems)
    return found


def _count_loose(folder: Path, found: Listing) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                found.hidden += 1
            elif not entry.is_dir():
                if entry.name.lower().endswith(suffixes()):
                    found.loose += 1
                else:
                    _count_suffix(entry.name, found)


def _count_suffix(name: str, found: Listing) -> None:
    suffix = Path(name).suffix.lower() or "none"
    found.other_suffixes[suffix] = found.other_suffixes.get(suffix, 0) + 1


def _list_class(folder: Path, name: str, label: int, found: Listing) -> None:
    top = folder / name
    seen = {_of(os.stat(parent)) for parent in Path(os.path.realpath(folder / "x")).parents}
    paths = sorted(_walk(str(top), seen, found))
    for path in paths:
        _take(path, os.path.relpath(path, folder), label, found)


def _walk(top: str, seen: set[_Identity], found: Listing) -> list[str]:
    """Paths of what may be pictures; each folder once, so that links in a circle come to an end."""
    paths: list[str] = []
    for root, folders, names in os.walk(top, onerror=_refuse, followlinks=True):
        identity = _of(os.stat(root))
        if identity in seen:
            folders.clear()
            continue
        seen.add(identity)
        found.hidden += sum(each.startswith(".") for each in (*folders, *names))
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for name in names:
            if name.startswith("."):
                continue
            if name.lower().endswith(suffixes()):
                paths.append(os.path.join(root, name))
            else:
                _count_suffix(name, found)
    return paths


def _take(path: str, name: str, label: int, found: Listing) -> None:
    try:
        state = os.stat(path)
    except OSError as error:
        is_link = Path(path).is_symlink()
        found.faults[name] = "a link to nothing" if is_link else error.strerror or str(error)
        return
    if not stat.S_ISREG(state.st_mode):
        found.faults[name] = "no regular file"
        return
    if state.st_ino:
        owner, first = found._owner.setdefault(_of(state), (label, name))
        if first != name:
            if owner == label:
                found.again += 1
            else:
                found.faults[name] = f"the same file as {shown_path(first)}, of another class"
            return
    found.files.append(name)
    found.sizes.append(state.st_size)
    found.labels.append(label)


def _of(state: os.stat_result) -> _Identity:
    return state.st_dev, state.st_ino


def _refuse(error: OSError) -> None:
    raise error
