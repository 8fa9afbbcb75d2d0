"""The exported folder: written beside its place, then moved there whole, or not at all."""

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from space.errors import InputError
from space.input.paths import ROOM, is_folder, is_there, shown_path, written_path
from space.surface import surface
from trainers.export.text_files import read_json

MANIFEST = "export.json"
FORMAT = "mixspace export 1"
_LEFT_BY_PYTHON = "__pycache__"
_SHOWN = 5


def checked_place(to: object, *, force: bool) -> Path:
    """Where an export may be written: nothing, an empty folder, or with `force` an earlier export.

    Args:
        to: what a person wrote.
        force: whether an earlier export is replaced.

    Raises:
        InputError: the path is none, a file, a mount point, or a folder with other things in it.
    """
    where = surface().field("to")
    try:
        place = written_path(to, ROOM)
    except ValueError as error:
        raise InputError.of(where, str(error)) from None
    # A link leads to the folder that is replaced, and stays what it is.
    place = Path(os.path.realpath(place))
    shown = shown_path(str(place))
    if not is_there(place):
        return place
    if not is_folder(place):
        raise InputError.of(where, f"{shown} is a file; an export is a folder")
    if place.is_mount():
        raise InputError.of(where, f"{shown} is a mount point and stays one; name a folder in it")
    try:
        found = sorted(path.name for path in place.iterdir())
    except OSError as error:
        raise InputError.of(where, f"{shown} cannot be read: {error.strerror}") from None
    if found:
        _refuse_others(place, found, force, where)
    return place


def _refuse_others(place: Path, found: list[str], force: bool, where: str) -> None:
    """Refuse a folder that is no earlier export, or has files of somebody else's in it."""
    shown = shown_path(str(place))
    if not is_there(place / MANIFEST):
        message = f"{shown} is not empty, and no earlier export; name another folder"
        raise InputError.of(where, message)
    if not force:
        message = f"{shown} holds an earlier export; {surface().given('force', True)} replaces it"
        raise InputError.of(where, message)
    known = {MANIFEST, _LEFT_BY_PYTHON, *written_files(place)}
    if others := [name for name in found if name not in known]:
        listed = ", ".join(map(shown_path, others[:_SHOWN]))
        more = f" and {len(others) - _SHOWN:,} more" if len(others) > _SHOWN else ""
        message = f"{shown} has files that no export wrote: {listed}{more}; move them away"
        raise InputError.of(where, message)


def written_files(place: Path) -> Mapping[str, Any]:
    """The files of an earlier export, as it wrote them down: bytes and hash by name.

    Raises:
        InputError: its list is missing or damaged.
    """
    manifest = read_json(place / MANIFEST)
    files = manifest.get("files")
    if manifest.get("format") != FORMAT or not isinstance(files, dict):
        raise InputError.of(MANIFEST, f"{place / MANIFEST} is no list of what an export wrote")
    return files


@contextmanager
def written_whole(place: Path) -> Iterator[Path]:
    """A folder to write into, which then takes the place; of a block that fails nothing is left.

    Args:
        place: as `checked_place` gave it; what lies there is replaced.

    Raises:
        InputError: nothing can be written beside the place.
        OSError: of the file system, as for want of room.
    """
    made = _missing_parents(place)
    partial = place.with_name(f".{place.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir()
    except OSError as error:
        _remove_empty(made)
        message = f"{shown_path(str(place.parent))} cannot be written: {error.strerror}"
        raise InputError.of(surface().field("to"), message) from None
    try:
        yield partial
        for path in (*partial.iterdir(), partial):
            _flush(path)
        _take_place(partial, place)
        _flush(place.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        _remove_empty(made)
        raise


def write_manifest(folder: Path, told: Mapping[str, Any]) -> dict[str, Any]:
    """Write the list of all files of a folder, with what is told of the export; that content."""
    files = {
        path.name: {"bytes": path.stat().st_size, "sha256": _sha256(path)}
        for path in sorted(folder.iterdir())
    }
    content = {"format": FORMAT, **told, "files": files}
    (folder / MANIFEST).write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    return content


def _missing_parents(place: Path) -> list[Path]:
    """The folders above a place that are not there, the lowest first."""
    return [parent for parent in place.parents if not is_there(parent)]


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:  # not made, or somebody else has put something into it
            return


def _take_place(partial: Path, place: Path) -> None:
    """Move a folder where another may be; that one is back where it was if this fails."""
    if not is_there(place):
        partial.rename(place)
        return
    earlier = partial.with_suffix(".earlier")
    place.rename(earlier)
    try:
        partial.rename(place)
    except BaseException:
        earlier.rename(place)
        raise
    shutil.rmtree(earlier)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
