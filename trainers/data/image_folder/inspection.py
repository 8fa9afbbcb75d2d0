"""One pass over the files of a data set: what is in them, and which of them are broken."""

import hashlib
import os
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Literal, cast

import PIL
from PIL import Image

from trainers.data.image_folder.decoding import (
    BROKEN,
    decode,
    fault_of_the_machine,
    is_of_the_file,
    read_header,
    why,
)
from trainers.data.image_folder.inspection_cache import FileState, Finding, InspectionCache
from trainers.data.image_folder.picture_files import InFolder, PictureFiles, Place

Check = Literal["full", "headers", "none"]
Say = Callable[[str], None]

_BATCH = 64
_QUIET_SECONDS = 3.0
_PAUSE_SECONDS = 10.0
_VERDICTS = 2
"""Changes when a file may be judged otherwise than by an earlier release of this program."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the files hold, in their order.

    Attributes:
        digests: of each file's bytes. faults: what is wrong, by the file's place.
    """

    digests: tuple[bytes, ...]
    faults: dict[int, str]


def inspect_files(
    pictures: PictureFiles | Path, files: Sequence[str], check: Check, say: Say | None = None
) -> Inspection:
    """Read every file once, or take over from the cache what was found earlier.

    Args:
        pictures: what holds the files, or the folder that they lie below. files: names in it.
        check: "full" decodes each picture, "headers" reads what it says of itself, "none" only
            hashes the bytes.
        say: told how far it is, when it takes more than a moment.

    Raises:
        OSError: of the machine rather than of a file, as when too many files are open.
    """
    cache = InspectionCache()
    progress = _Progress(len(files), say)
    digests: list[bytes] = []
    faults: dict[int, str] = {}
    lock = threading.Lock()
    holder = InFolder(pictures) if isinstance(pictures, Path) else pictures
    batches = [files[at : at + _BATCH] for at in range(0, len(files), _BATCH)]

    def look(batch: Sequence[str]) -> list[Finding]:
        return _batch(cache, lock, holder, batch, check)

    with (
        warnings.catch_warnings(),
        ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool,
    ):
        # Pillow warns of what it reads all the same; what it cannot read is told by name.
        warnings.filterwarnings("ignore", module="PIL")
        for findings in pool.map(look, batches):
            for finding in findings:
                if finding.fault is not None:
                    faults[len(digests)] = finding.fault
                digests.append(finding.digest)
            progress.at(len(digests))
    progress.done()
    if say is not None and cache.trouble is not None:
        say(f"{cache.trouble}: what was found out about the pictures is not kept.")
    return Inspection(tuple(digests), faults)


def reader_of(check: Check) -> str:
    """Names what decides a verdict beside the file."""
    limit = Image.MAX_IMAGE_PIXELS
    return "none" if check == "none" else f"{check} {_VERDICTS} pillow {PIL.__version__} {limit}"


def _batch(
    cache: InspectionCache,
    lock: threading.Lock,
    pictures: PictureFiles,
    batch: Sequence[str],
    check: Check,
) -> list[Finding]:
    places = [pictures.place(name) for name in batch]
    files = {file: _state(file) for file in {place.file for place in places}}
    states = [(p.key, state) for p in dict.fromkeys(places) if (state := files[p.file]) is not None]
    with lock:
        known = cache.known(states)
    good = {p: answer for p, each in known.items() if (answer := _answer(each, check)) is not None}
    fresh = {
        place.key: _look_at(pictures, name, place, check)
        for place, name in dict(zip(places, batch, strict=True)).items()
        if place.key not in good
    }
    with lock:
        cache.keep((p, state, found) for p, (state, found) in fresh.items() if state is not None)
    return [good[p.key] if p.key in good else fresh[p.key][1] for p in places]


def _answer(known: Finding, check: Check) -> Finding | None:
    """What this check would find, by what an earlier one did; None where that does not tell.

    The cache may save time, and never decide: a broken picture passes the checks that would not
    see it, also when a stricter one did.
    """
    if check == "none":
        return known._replace(fault=None)
    if known.reader == reader_of(check):
        return known
    is_whole = known.reader == reader_of("full") and known.fault is None
    return known if is_whole else None


def _state(path: str) -> FileState | None:
    try:
        return FileState.of(os.stat(path)) if path else None
    except OSError:  # reading it tells what is wrong
        return None


def _look_at(
    pictures: PictureFiles, name: str, place: Place, check: Check
) -> tuple[FileState | None, Finding]:
    """The state of the file before it was read, None where nothing can be kept, and the finding.

    What changes meanwhile is in another state later, so that the finding is not believed.
    """
    reader = reader_of(check)
    state = _state(place.file)
    try:
        with pictures.open(name) as file:
            digest = hashlib.file_digest(cast(BufferedReader, file), "sha256").digest()
            fault = None if check == "none" else _fault(file, check)
    except BROKEN as error:
        if not is_of_the_file(error):
            raise fault_of_the_machine(error, pictures.path(name)) from error
        return None, Finding(b"", reader, why(error))
    return state, Finding(digest, reader, fault)


def _fault(file: BinaryIO, check: Check) -> str | None:
    if file.seek(0, os.SEEK_END) == 0:
        return "empty, 0 bytes"
    try:  # Pillow begins at the start
        if check == "full":
            decode(file)
        else:
            read_header(file)
    except BROKEN as error:
        if not is_of_the_file(error):
            raise
        return why(error)
    return None


class _Progress:
    """Says how far it is every few seconds, and nothing of what is quick."""

    def __init__(self, total: int, say: Say | None) -> None:
        self._total, self._say = total, say
        self._began = time.monotonic()
        self._next = self._began + _QUIET_SECONDS
        self._told = False

    def at(self, number: int) -> None:
        """So many files have been looked at."""
        now = time.monotonic()
        if self._say is None or now < self._next:
            return
        self._next, self._told = now + _PAUSE_SECONDS, True
        left = (now - self._began) / max(number, 1) * (self._total - number)
        duration = f"{left / 60:.0f} min" if left >= 60 else f"{left:.0f} s"
        self._say(
            f"Looking at the pictures, once: {number:,} of {self._total:,}, about {duration} left"
        )

    def done(self) -> None:
        """All are looked at."""
        if self._told and self._say is not None:
            self._say(f"Looked at {self._total:,} pictures.")
