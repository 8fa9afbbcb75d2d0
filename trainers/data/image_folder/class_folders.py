"""What a folder of images holds: where its class folders lie, and their files, each once.

Class folders lie below train/ and val/, below train/ alone, or in the folder itself.
"""

import os
import stat
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from space.errors import InputError, Problem, refuse
from space.input.paths import is_folder, shown_path
from trainers.data.image_folder.decoding import listed_suffixes, suffixes

_SHOWN = 5
_WELCOME = (
    "put class folders into train/ and val/, into train/ alone, or into the folder itself, where "
    "none may be called train or val"
)


@dataclass(frozen=True, slots=True)
class FolderLayout:
    """The folders to read.

    Attributes:
        train: with a folder for each class. val: with the same classes, for the test; None where
            a part of `train` is kept for it.
        classes: names of the class folders, sorted.
        beside: further folders beside train/, which are not read.
    """

    train: Path
    val: Path | None
    classes: tuple[str, ...]
    beside: tuple[str, ...] = ()


def find_layout(root: Path) -> FolderLayout:
    """Look what a folder holds.

    Raises:
        InputError: naming every folder that is missing, empty or does not match.
    """
    if not is_folder(root):
        raise InputError.of("data.folder", f"{shown_path(str(root))} is not a folder")
    if is_folder(root / "train"):
        train, val = root / "train", root / "val"
    elif is_folder(root / "val"):
        message = f"{shown_path(str(root / 'train'))} is not a folder; {_WELCOME}"
        raise InputError.of("data.folder", message)
    else:
        train, val = root, root / "val"
    classes = _classes(train)
    if len(classes) < 2:
        raise InputError.of("data.folder", _too_few(train, classes))
    if train == root:
        _refuse_data_sets(root, classes)
    beside = () if train == root else _classes(root)
    beside = tuple(name for name in beside if name not in ("train", "val"))
    if not is_folder(val):
        return FolderLayout(train, None, classes, beside)
    _check_same(root, classes, _classes(val))
    return FolderLayout(train, val, classes, beside)


def abbreviated(names: tuple[str, ...] | list[str]) -> str:
    """Some of the names, printable, and how many more there are."""
    shown = ", ".join(shown_path(name) for name in names[:_SHOWN])
    return shown + (f", … ({len(names):,} in all)" if len(names) > _SHOWN else "")


def unreadable(error: OSError, folder: Path) -> Problem:
    """That a folder, or what lies in it, cannot be read."""
    place = shown_path(os.fsdecode(error.filename or folder))
    return Problem("data.folder", f"{place} cannot be read: {error.strerror or error}")


def _classes(folder: Path) -> tuple[str, ...]:
    """Folders whose names do not begin with a dot, apart from links to where they lie or above."""
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


def _too_few(folder: Path, classes: tuple[str, ...]) -> str:
    place = shown_path(str(folder))
    if classes:
        return f"{place} holds one class, {shown_path(classes[0])!r}; at least 2 are needed"
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries)
    found = f"it holds {abbreviated(names)}" if names else "it is empty"
    return (
        f"{place} holds no class folders; {found}; {_WELCOME}; pictures end in {listed_suffixes()}"
    )


def _refuse_data_sets(root: Path, classes: tuple[str, ...]) -> None:
    """Folders that have class folders in a train/ of their own are no classes."""
    for name in classes:
        inner = root / name / "train"
        if is_folder(inner) and len(_classes(inner)) > 1:
            message = (
                f"{shown_path(str(root))} holds data sets where classes should be: "
                f"{shown_path(name)} has class folders in its train/; name one of them, such as "
                f"{shown_path(str(root / name))}"
            )
            raise InputError.of("data.folder", message)


def _check_same(root: Path, train: tuple[str, ...], val: tuple[str, ...]) -> None:
    alone = {"train": sorted(set(train) - set(val)), "val": sorted(set(val) - set(train))}
    if not any(alone.values()):
        return
    said = "; ".join(f"only in {p}/: {abbreviated(names)}" for p, names in alone.items() if names)
    look_alike = set(map(_as_read, alone["train"])) & set(map(_as_read, alone["val"]))
    hint = "; some differ in capitals alone, or in how Unicode writes them" if look_alike else ""
    raise InputError.of("data.folder", f"{shown_path(str(root))} has classes {said}{hint}")


def _as_read(name: str) -> str:
    """The same for names that a person may take for the same, as é in one character and in two."""
    return unicodedata.normalize("NFC", name).casefold()


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


def _count_loose(folder: Path, found: Listing) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                found.hidden += 1
            elif not entry.is_dir() and _is_picture(entry.name, found):
                found.loose += 1


def _is_picture(name: str, found: Listing) -> bool:
    """Whether a file counts by its suffix; others are counted by theirs."""
    if name.lower().endswith(suffixes()):
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
    return {_of(os.stat(each)) for each in (folder, *Path(os.path.realpath(folder)).parents)}


def _of(state: os.stat_result) -> _Identity:
    return state.st_dev, state.st_ino


def _refuse(error: OSError) -> None:
    raise error
