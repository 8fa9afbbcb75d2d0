"""Where the class folders lie: below train/ and val/, below train/ alone, or in the folder."""

import os
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from space.errors import InputError, Problem
from space.paths import is_folder, shown_path
from trainers.data.suffixes import listed_suffixes

_SHOWN = 5
_WELCOME = (
    "put class folders into train/ and val/, into train/ alone, or into the folder itself, where "
    "none may be called train or val"
)


@dataclass(frozen=True, slots=True)
class Layout:
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


def find_layout(root: Path) -> Layout:
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
    beside = () if train == root else _classes(root)
    beside = tuple(name for name in beside if name not in ("train", "val"))
    if not is_folder(val):
        return Layout(train, None, classes, beside)
    _check_same(root, classes, _classes(val))
    return Layout(train, val, classes, beside)


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
        above = {_identity(each) for each in (folder, *Path(os.path.realpath(folder)).parents)}
        with os.scandir(folder) as entries:
            return tuple(
                sorted(
                    entry.name
                    for entry in entries
                    if not entry.name.startswith(".")
                    and entry.is_dir()
                    and _identity(Path(entry.path)) not in above
                )
            )
    except OSError as error:
        raise InputError([unreadable(error, folder)]) from None


def _identity(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_dev, stat.st_ino


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
