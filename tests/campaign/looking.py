"""What a store and a folder of checkpoints hold at a moment, read without the program's own code.

The campaign must not trust what it judges, and the same plain SQL does for both databases.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

Epoch = tuple[int, str, int]
"""The number of a trial, the id of its architecture, and the number of an epoch."""
_LONGEST_HEADER = 10_000_000


@dataclass(frozen=True)
class TrialRow:
    """A trial."""

    number: int
    architecture: str
    state: str
    reason: str | None
    repeat: int
    attempts: int


@dataclass(frozen=True)
class EventRow:
    """Something that happened to a trial."""

    trial: int
    kind: str
    epoch: int | None


@dataclass(frozen=True)
class RunRow:
    """A driver's run."""

    id: int
    ended: bool
    reason: str | None


@dataclass(frozen=True)
class Look:
    """A study at a moment.

    Attributes:
        planned: number of trials that there shall be.
        epochs: how many seconds each took: two trainings of one never take equally long.
    """

    planned: int = 0
    trials: tuple[TrialRow, ...] = ()
    epochs: Mapping[Epoch, float] = field(default_factory=dict)
    events: tuple[EventRow, ...] = ()
    runs: tuple[RunRow, ...] = ()


def look_at_store(url: str) -> Look | None:
    """The one study of a store; None where there is none yet, or the store does not answer."""
    if "://" not in url:
        if not Path(url).exists():
            return None
        # Not read-only: who closes such a file last and may not write leaves its log behind.
        url = f"sqlite:///file:{url}?mode=rw&uri=true"
        arguments: dict[str, object] = {"timeout": 5}
    else:
        arguments = {"connect_timeout": 3, "options": "-c statement_timeout=5s"}
    target = make_url(url)
    if target.drivername == "postgresql":
        target = target.set(drivername="postgresql+psycopg")
    engine = create_engine(target, poolclass=NullPool, connect_args=arguments)
    try:
        with engine.connect() as connection:
            return _read(connection)
    except DBAPIError:
        return None


def _read(connection: Connection) -> Look | None:
    planned = connection.scalar(text("select planned_trials from studies"))
    if planned is None:
        return None
    trials = connection.execute(
        text(
            "select number, architecture_id, state, reason, repeat, attempts from trials "
            "order by number"
        )
    )
    epochs = connection.execute(
        text(
            "select t.number, t.architecture_id, m.epoch, m.seconds from metrics m "
            "join trials t on t.id = m.trial_id"
        )
    )
    events = connection.execute(
        text(
            "select t.number, e.kind, e.epoch from events e join trials t on t.id = e.trial_id "
            "order by e.number"
        )
    )
    runs = connection.execute(
        text("select id, ended is not null, end_reason from runs order by id")
    )
    return Look(
        planned,
        tuple(TrialRow(*row) for row in trials),
        {(number, id_, epoch): seconds for number, id_, epoch, seconds in epochs},
        tuple(EventRow(*row) for row in events),
        tuple(RunRow(id_, bool(ended), reason) for id_, ended, reason in runs),
    )


def look_at_checkpoints(folder: Path) -> dict[Epoch, float]:
    """The seconds of every epoch that the checkpoints below a folder hold."""
    found: dict[Epoch, float] = {}
    for path in folder.glob("*/*.safetensors"):
        number, _, id_ = path.stem.partition("-")
        for epoch in _history(path):
            found[int(number), id_, int(epoch["epoch"])] = float(epoch["seconds"])
    return found


def _history(path: Path) -> list[dict[str, float]]:
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(size, _LONGEST_HEADER)))
    except FileNotFoundError:
        return []
    history: list[dict[str, float]] = json.loads(header["__metadata__"]["state"])["history"]
    return history
