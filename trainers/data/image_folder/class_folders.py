"""What class folders hold: their picture files, each once, and what does not count."""

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from space.errors import InputError, Problem, refuse
from space.input.paths import shown_path
from trainers.data.image_folder.decoding import listed_suffixes, suffixes

_SHOWN = 5


def abbreviated(names: Sequence[str]) -> str:
    """Some of the names, printable, and how many more there are."""
    shown = ", ".join(shown_path(name) for name in names[:_SHOWN])
    return shown + (f", … ({len(names):,} in all)" if len(names) > _SHOWN else "")


def unreadable(error: OSError, folder: Path) -> Problem:
    """That a folder, or what lies in it, cannot be read."""
    place = shown_path(os.fsdecode(error.filename or folder))
    return Problem("data.folder", f"{place} cannot be read: {error.strerror or error}")


def class_folders(folder: Path) -> tuple[str, ...]:
    """Names of the folders that do not begin with a dot, apart from links to there or above.

    Raises:
        InputError: the folder cannot be read.
    """
    try:
        above = _here_and_above(folder)
        with os.scandir(folder) as entries:
            return tuple(
                sorted(
                    entry.name
                    for entry in entries
                    if not entry.name.startswith(".")
                    and entry.is_dir()
                    and _of(os.stat(entry.path)) not in above
                )
            )
    except OSError as error:
        raise InputError([unreadable(error, folder)]) from None


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
    refuse(problems)
    return found


def list_pictures(folder: Path) -> Listing:
    """List all pictures below a folder, as if they were of one class.

    Raises:
        InputError: naming the part that cannot be read.
    """
    found = Listing()
    try:
        for path in sorted(_walk(str(folder), _above(folder), found)):
            _take(path, os.path.relpath(path, folder), 0, found)
    except OSError as error:
        raise InputError([unreadable(error, folder)]) from None
    return found


def _count_loose(folder: Path, found: Listing) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                found.hidden += 1
            elif not entry.is_dir() and _is_picture(entry.name, found):
                found.loose += 1


def is_suffix_of_picture(name: str) -> bool:
    """Whether a file is called as pictures are."""
    return name.lower().endswith(suffixes())


def _is_picture(name: str, found: Listing) -> bool:
    """Whether a file counts by its suffix; others are counted by theirs."""
    if is_suffix_of_picture(name):
        return True
    suffix = Path(name).suffix.lower() or "none"
    found.other_suffixes[suffix] = found.other_suffixes.get(suffix, 0) + 1
    return False


def _list_class(folder: Path, name: str, label: int, found: Listing) -> None:
    top = folder / name
    seen = _here_and_above(folder)
    for path in sorted(_walk(str(top), seen, found)):
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
        shown = (name for name in names if not name.startswith("."))
        paths += [os.path.join(root, name) for name in shown if _is_picture(name, found)]
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


def _here_and_above(folder: Path) -> set[_Identity]:
    return {_of(os.stat(folder)), *_above(folder)}


def _above(folder: Path) -> set[_Identity]:
    return {_of(os.stat(each)) for each in Path(os.path.realpath(folder)).parents}


def _of(state: os.stat_result) -> _Identity:
    return state.st_dev, state.st_ino


def _refuse(error: OSError) -> None:
    raise error
