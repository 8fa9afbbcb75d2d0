"""Where Ray's workers look for the program: first of all in the working folder of their driver."""

from filecmp import cmp
from pathlib import Path

from search.own_rooms import ROOT, place_of_foreign
from space.errors import InputError

_OF_A_WORKER = ("space", "trainers", "search")


def refuse_foreign_search(folder: Path) -> None:
    """Refuse a working folder in which the workers would find another `search` than ours.

    Of all rooms it is the one that matters: once a worker has ours, it takes the others from there.
    A copy of this very program is none: the image has its source in the working folder, and
    `ray job submit --working-dir .` sends it along.

    Raises:
        InputError: naming the module.
    """
    found = place_of_foreign("search", folder)
    if found is not None and not _is_copy(found.parent.parent):
        raise InputError.of(
            "working folder",
            f"Ray's workers would take {found} for the `search` of mixspace: run from another "
            "folder, or rename it",
        )


def _is_copy(root: Path) -> bool:
    """Whether a folder has every module of ours that a worker takes, word for word."""
    ours = (file for room in _OF_A_WORKER for file in (ROOT / room).rglob("*.py"))
    return all(_is_same(file, root / file.relative_to(ROOT)) for file in ours)


def _is_same(file: Path, other: Path) -> bool:
    try:
        return cmp(file, other, shallow=False)
    except OSError:
        return False
