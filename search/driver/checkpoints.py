"""Where the checkpoints of a study lie: in a folder of its own, found again when it was moved."""

import json
import os
import shutil
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.store import StudyRecord, TrialRecord
from search.store.url import is_sqlite, parse_url, sqlite_path
from space.input.paths import is_folder, is_there

_MOST_PLACES = 8
_LONGEST_HEADER = 100_000_000


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The files of one study.

    Attributes:
        folder: where new files go.
        earlier: other folders in which files of the study may lie, the latest first.
    """

    folder: Path
    earlier: tuple[Path, ...] = ()

    @classmethod
    def of(cls, study: StudyRecord, store: str, root: Path | None = None) -> "Checkpoints":
        """The folders of a study.

        Args:
            study: whose.
            store: URL of the store that it was read from. Where that is a file, folders are also
                looked for from there: a project that was moved takes both along.
            root: the `checkpoints` of the configuration; None takes those that the study has.
        """
        mine = Path(study.config.get("checkpoints", "checkpoints"))
        root = mine if root is None else root
        beside = _folder_of_store(store)
        written = list(_places(study, beside))
        roots = [root.absolute(), *([beside / root] if beside is not None else [])]
        here = [place / _name(study) for place in roots]
        # Where the last run wrote comes first, unless another place is asked for.
        known = [*here, *written] if root != mine else [*written, *here]
        folder = here[0] if root != mine else next(filter(is_folder, known), here[0])
        # Before studies had an id of their own, the second of their creation told them apart.
        old = [place / f"{study.name}-{study.created:%Y%m%d-%H%M%S}" for place in roots]
        others = dict.fromkeys(path for path in (*known, *old) if path != folder)
        return cls(folder, tuple(path for path in others if is_folder(path)))

    def to_stored(self, store: str) -> list[dict[str, str]]:
        """What the store keeps of the folders: as they are, and as they are seen from the store."""
        beside = _folder_of_store(store)
        return [
            {"path": str(place)}
            | ({} if beside is None else {"from_store": os.path.relpath(place, beside)})
            for place in (self.folder, *self.earlier)[:_MOST_PLACES]
        ]

    def file(self, trial: TrialRecord) -> Path:
        """The file of a trial, which may not be there yet."""
        return self.folder / f"{trial.number:05d}-{trial.architecture_id}.safetensors"

    def log(self, trial: TrialRecord) -> Path:
        """The file that tells how attempts at a trial broke off."""
        return self.file(trial).with_suffix(".log")

    def find(self, trial: TrialRecord) -> Path | None:
        """The file of a trial wherever it lies, the one with most epochs; None where it is gone."""
        found = self._all(self.file(trial).name)
        return (
            max(found, key=lambda path: _epochs_in(path) or -1)
            if len(found) > 1
            else (found[0] if found else None)
        )

    def find_log(self, trial: TrialRecord) -> Path | None:
        """The log of a trial wherever it lies; None where nothing was told."""
        return next(iter(self._all(self.log(trial).name)), None)

    def _all(self, name: str) -> list[Path]:
        places = (folder / name for folder in (self.folder, *self.earlier))
        return [path for path in places if is_there(path)]

    def fetch(self, trial: TrialRecord) -> Path:
        """The file of a trial, brought here where an earlier run left it elsewhere."""
        target, found = self.file(trial), self.find(trial)
        if found is not None and found != target:
            self.adopt(trial, found)
        return target

    def adopt(self, trial: TrialRecord, source: Path | None) -> bool:
        """Give a trial the checkpoint of another one; False when that is gone or out of reach.

        A link where the file system has it: checkpoints are replaced, never written into.
        """
        if source is None or not _readable(source):
            return False
        target = self.file(trial)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f"{target.name}.{uuid.uuid4().hex}.partial")
        try:
            _link_or_copy(source, partial)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        return True

    def epochs_of(self, trial: TrialRecord) -> int | None:
        """How many epochs the checkpoint of a trial holds; 0 without one, None where unreadable."""
        found = self.find(trial)
        return 0 if found is None else _epochs_in(found)


def _name(study: StudyRecord) -> str:
    return f"{study.name}-{study.uid[:12]}"


def _folder_of_store(store: str) -> Path | None:
    url = parse_url(store)
    return sqlite_path(url).parent if is_sqlite(url) else None


def _places(study: StudyRecord, beside: Path | None) -> Iterable[Path]:
    """Where earlier runs wrote: where that is now, if it moved with the store, and where it was."""
    for place in study.checkpoints or ():
        if beside is not None and "from_store" in place:
            yield Path(os.path.normpath(beside / place["from_store"]))
        yield Path(place["path"])


def _readable(path: Path) -> bool:
    try:
        with path.open("rb"):
            return True
    except OSError:
        return False


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
        with target.open("rb") as file:
            os.fsync(file.fileno())


def _epochs_in(path: Path) -> int | None:
    """The epoch in the header of a checkpoint, which is read without torch."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header: Any = json.loads(file.read(size)) if size < _LONGEST_HEADER else {}
        return int(json.loads(header["__metadata__"]["state"])["epoch"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
