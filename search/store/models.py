"""The tables, and column types that let only storable values through, alike on both databases."""

import math
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Double,
    ForeignKey,
    Index,
    MetaData,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from search.trial_states import EventKind, TrialState


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time. SQLite keeps no zone, so all times are stored as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; a naive time is a mistake of the caller."""
        if value is not None and value.tzinfo is None:
            raise ValueError("times in the store carry a zone")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """From UTC, aware again."""
        if value is None:
            return None
        time: datetime = value
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


class FiniteFloat(TypeDecorator[float]):
    """A double; NaN and the infinities are stored as NULL (the databases disagree about them)."""

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | None:
        """NULL unless finite; NumPy's scalars become plain floats."""
        return None if value is None or not math.isfinite(value) else float(value)


class SafeText(TypeDecorator[str]):
    """Text without NUL and lone surrogates, which PostgreSQL refuses and error messages hold."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The same text where it can be stored, with replacement characters where not."""
        if value is None:
            return None
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


class EnumText(TypeDecorator[StrEnum]):
    """One of the words of an enumeration, as text."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words
        self._known = {word.value: word for word in words}

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The text."""
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        """The word of the enumeration again."""
        # Asked for every row: an enumeration takes several times as long as a table.
        return None if value is None else self._known.get(value) or self.words(value)


class SafeJson(TypeDecorator[Any]):
    """JSON in which non-finite numbers are null."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """The same value with null for every non-finite number."""
        return finite_json(value)


def finite_json(value: Any) -> Any:
    """The value with None for every non-finite number, at any depth."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite_json(item) for item in value]
    return value


def utc_now() -> datetime:
    """This machine's time, aware."""
    return datetime.now(UTC)


Json = Annotated[Any, mapped_column(SafeJson)]
JsonOrNull = Annotated[Any, mapped_column(SafeJson(none_as_null=True), nullable=True)]
BigInt = Annotated[int, mapped_column(BigInteger)]

_STATES = ", ".join(f"'{state}'" for state in TrialState)
_NO_REASON = ", ".join(f"'{state}'" for state in TrialState if not state.needs_reason)
_EVENTS = ", ".join(f"'{kind}'" for kind in EventKind)
SPECIAL = text(
    "(repeat > 0 OR continued > 0 OR source_trial_id IS NOT NULL OR parent_trial_id IS NOT NULL)"
)
"""The condition of trials that are repeats, or were continued, reused or inherited."""
OFTEN = text("trials > 1")
"""The condition of architectures that have several trials."""


def _index_where_known(column: str) -> Index:
    known = text(f"{column} IS NOT NULL")
    return Index(f"ix_trials_{column}", column, sqlite_where=known, postgresql_where=known)


class Base(DeclarativeBase):
    """Names every constraint, so that migrations can refer to it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        float: FiniteFloat,
        str: SafeText,
        TrialState: EnumText(TrialState),
        EventKind: EnumText(EventKind),
    }


class StudyRow(Base):
    """One search: its configuration, space and protocol, as they were when it began."""

    __tablename__ = "studies"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    created: Mapped[datetime]
    config: Mapped[Json]
    space: Mapped[Json]
    protocol: Mapped[Json]
    protocol_hash: Mapped[str]
    objective: Mapped[Json]
    planned_trials: Mapped[int]
    searcher: Mapped[str]
    scheduler: Mapped[str]
    seeds: Mapped[Json]
    code_version: Mapped[str]
    exhausted: Mapped[str | None]
    uid: Mapped[str] = mapped_column(unique=True)
    checkpoints: Mapped[JsonOrNull]
    retrains: Mapped[JsonOrNull]
    latency_setting: Mapped[str | None]


class RunRow(Base):
    """One driver process that worked on a study."""

    __tablename__ = "runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), index=True)
    host: Mapped[str]
    pid: Mapped[int]
    process_started: Mapped[float]
    boot_id: Mapped[str | None]
    pid_namespace: Mapped[str | None]
    start_ticks: Mapped[BigInt | None]
    started: Mapped[datetime]
    heartbeat: Mapped[datetime]
    ended: Mapped[datetime | None]
    end_reason: Mapped[str | None]
    machine: Mapped[Json]
    code_version: Mapped[str]


class ArchitectureRow(Base):
    """One architecture, whatever studies met it; its id is the hash of its canonical JSON."""

    __tablename__ = "architectures"
    __table_args__ = (
        # The few with several trials, whose results are worked out together.
        Index(
            "ix_architectures_met_often", "id", "trials", sqlite_where=OFTEN, postgresql_where=OFTEN
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    json: Mapped[str]
    params: Mapped[BigInt]
    macs: Mapped[BigInt]
    # The column has the first release's word: a look at its stores must not need a migration.
    block_type: Mapped[str] = mapped_column("scaffold", key="block_type")
    depth: Mapped[int]
    operators: Mapped[str]
    # How many there are of it, in all studies: whoever adds a trial counts it.
    trials: Mapped[int] = mapped_column(server_default="1")


class ArchitectureMixerRow(Base):
    """The token mixer of one block of an architecture."""

    __tablename__ = "architecture_mixers"

    architecture_id: Mapped[str] = mapped_column(ForeignKey("architectures.id"), primary_key=True)
    stage: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    locality: Mapped[str]
    channels: Mapped[str]
    rank: Mapped[str]
    sharing: Mapped[str]
    dynamics: Mapped[str]
    kernel_size: Mapped[int | None]
    groups: Mapped[int | None]
    heads: Mapped[int | None]
    ratio: Mapped[int | None]
    name: Mapped[str]
    label: Mapped[str]


class ArchitectureTagRow(Base):
    """A word that somebody gave an architecture."""

    __tablename__ = "architecture_tags"

    architecture_id: Mapped[str] = mapped_column(ForeignKey("architectures.id"), primary_key=True)
    tag: Mapped[str] = mapped_column(primary_key=True, index=True)
    created: Mapped[datetime]


class ArchitectureNoteRow(Base):
    """What somebody wrote down about an architecture."""

    __tablename__ = "architecture_notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    architecture_id: Mapped[str] = mapped_column(ForeignKey("architectures.id"), index=True)
    created: Mapped[datetime]
    text: Mapped[str]


class TrialRow(Base):
    """One architecture in one study, with what its epochs came to."""

    __tablename__ = "trials"
    __table_args__ = (
        UniqueConstraint("study_id", "number"),
        UniqueConstraint("study_id", "architecture_id", "repeat"),
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        CheckConstraint(f"state IN ({_NO_REASON}) OR reason IS NOT NULL", name="reason"),
        # Holds all that the counts and the best accuracy of a study need.
        Index(None, "study_id", "state", "accuracy"),
        # The few trials that did not simply train from scratch once, to count them.
        Index("ix_trials_special", "study_id", sqlite_where=SPECIAL, postgresql_where=SPECIAL),
        # Of each trial that is deleted, the database looks for others that refer to it.
        _index_where_known("source_trial_id"),
        _index_where_known("parent_trial_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    number: Mapped[int]
    architecture_id: Mapped[str] = mapped_column(ForeignKey("architectures.id"), index=True)
    state: Mapped[TrialState]
    reason: Mapped[str | None]
    origin: Mapped[str]
    attempts: Mapped[int]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"), index=True)
    seeds: Mapped[Json]
    decisions: Mapped[JsonOrNull]
    accuracy: Mapped[float | None] = mapped_column(index=True)
    best_accuracy: Mapped[float | None]
    best_epoch: Mapped[int | None]
    last_accuracy: Mapped[float | None]
    last_epoch: Mapped[int | None]
    epochs_done: Mapped[int]
    seconds: Mapped[float]
    repeat: Mapped[int] = mapped_column(default=0)
    continued: Mapped[int] = mapped_column(default=0)
    source_trial_id: Mapped[int | None] = mapped_column(ForeignKey("trials.id"))
    parent_trial_id: Mapped[int | None] = mapped_column(ForeignKey("trials.id"))
    inherited_along: Mapped[str | None]
    lineage_seconds: Mapped[float] = mapped_column(
        "ancestry_seconds", key="lineage_seconds", default=0.0
    )
    created: Mapped[datetime]
    started: Mapped[datetime | None]
    ended: Mapped[datetime | None]


class EventRow(Base):
    """One thing that happened to a trial; rows are only ever added."""

    __tablename__ = "events"
    __table_args__ = (CheckConstraint(f"kind IN ({_EVENTS})", name="kind"),)

    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    trial_id: Mapped[int] = mapped_column(ForeignKey("trials.id"), index=True)
    kind: Mapped[EventKind]
    epoch: Mapped[int | None]


class MetricRow(Base):
    """What one epoch of a trial reported."""

    __tablename__ = "metrics"

    trial_id: Mapped[int] = mapped_column(ForeignKey("trials.id"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    train_loss: Mapped[float | None]
    validation_loss: Mapped[float | None]
    validation_accuracy: Mapped[float | None]
    learning_rate: Mapped[float | None]
    seconds: Mapped[float | None]
    images_per_second: Mapped[float | None]
    skipped_steps: Mapped[int | None]
    peak_memory_bytes: Mapped[BigInt | None]
    fused_mixers: Mapped[int | None]


class TestReadingRow(Base):
    """One reading of the test split: the audit of who looked, at what, when."""

    __tablename__ = "test_readings"
    __test__ = False

    id: Mapped[int] = mapped_column(primary_key=True)
    architecture_id: Mapped[str] = mapped_column(ForeignKey("architectures.id"), index=True)
    trial_id: Mapped[int | None] = mapped_column(ForeignKey("trials.id"), index=True)
    read_at: Mapped[datetime]
    protocol_hash: Mapped[str]
    accuracy: Mapped[float | None]
    images: Mapped[int | None]
    chance: Mapped[float | None]
    content_hash: Mapped[str | None]
    device: Mapped[str | None]


class LatencySettingRow(Base):
    """A device, and how latency is measured on it; its id is a hash of both."""

    __tablename__ = "latency_settings"

    id: Mapped[str] = mapped_column(primary_key=True)
    created: Mapped[datetime]
    spec: Mapped[Json]
    device: Mapped[Json]


class LatencyPartRow(Base):
    """What a part of networks takes in a setting; rows are only ever added, the newest counts."""

    __tablename__ = "latency_parts"
    __table_args__ = (Index(None, "setting_id", "part_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    setting_id: Mapped[str] = mapped_column(ForeignKey("latency_settings.id"))
    part_id: Mapped[str]
    part: Mapped[Json]
    figure: Mapped[Json]


class LatencyPredictorRow(Base):
    """The line that predicts networks of a space from the sums of their parts, with its error."""

    __tablename__ = "latency_predictors"

    id: Mapped[int] = mapped_column(primary_key=True)
    setting_id: Mapped[str] = mapped_column(ForeignKey("latency_settings.id"), index=True)
    space_id: Mapped[str]
    created: Mapped[datetime]
    predictor: Mapped[Json]


class LatencyRow(Base):
    """One measurement of a whole network in a setting; rows are only ever added."""

    __tablename__ = "latencies"
    __table_args__ = (Index(None, "setting_id", "architecture_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    setting_id: Mapped[str] = mapped_column(ForeignKey("latency_settings.id"))
    # Networks that only a predictor was fitted on are in no study, and have no row of their own.
    architecture_id: Mapped[str]
    median_ms: Mapped[float]
    disturbed: Mapped[bool]
    measured_for: Mapped[str]
    figure: Mapped[Json]
