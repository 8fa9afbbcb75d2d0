"""The event log; repeats, reused, inherited and continued trials; exhausted studies."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"
branch_labels = None
depends_on = None

_SPECIAL = sa.text(
    "repeat > 0 OR continued > 0 OR source_trial_id IS NOT NULL OR parent_trial_id IS NOT NULL"
)
_ENDS = ("complete", "pruned", "failed", "infeasible", "preempted")


def upgrade() -> None:
    op.add_column("studies", sa.Column("exhausted", sa.Text(), nullable=True))
    op.execute(_EXHAUSTED)
    _change_trials()
    op.create_index(
        "ix_trials_special",
        "trials",
        ["study_id"],
        unique=False,
        sqlite_where=_SPECIAL,
        postgresql_where=_SPECIAL,
    )
    op.create_table(
        "events",
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("trial_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('created', 'epoch', 'complete', 'pruned', 'failed', 'infeasible', "
            "'preempted', 'continued', 'forgotten')",
            name="kind",
        ),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_events_study_id_studies"),
        sa.ForeignKeyConstraint(["trial_id"], ["trials.id"], name="fk_events_trial_id_trials"),
        sa.PrimaryKeyConstraint("study_id", "number", name="pk_events"),
    )
    _write_plausible_logs()


# Until now a study whose last run ended by itself before the planned number was exhausted.
_EXHAUSTED = """
UPDATE studies SET exhausted = 'the space held no more points'
WHERE (SELECT count(*) FROM trials WHERE trials.study_id = studies.id) < planned_trials
  AND EXISTS (SELECT 1 FROM trials WHERE trials.study_id = studies.id)
  AND NOT EXISTS (
    SELECT 1 FROM trials WHERE trials.study_id = studies.id
    AND state IN ('waiting', 'running', 'preempted'))
  AND (SELECT end_reason FROM runs WHERE runs.study_id = studies.id ORDER BY id DESC LIMIT 1)
      = 'the run ended'
"""


def _change_trials() -> None:
    # SQLite cannot drop a constraint: there the table is written anew, as its definition says.
    with op.batch_alter_table("trials", copy_from=_trials_of_0002()) as table:
        table.add_column(sa.Column("repeat", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("continued", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("source_trial_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("parent_trial_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("inherited_along", sa.Text(), nullable=True))
        table.add_column(
            sa.Column("ancestry_seconds", sa.Double(), nullable=False, server_default="0")
        )
        table.drop_constraint("uq_trials_study_id_architecture_id", type_="unique")
        table.create_unique_constraint(
            "uq_trials_study_id_architecture_id_repeat", ["study_id", "architecture_id", "repeat"]
        )
        for column in ("source_trial_id", "parent_trial_id"):
            table.create_foreign_key(f"fk_trials_{column}_trials", "trials", [column], ["id"])


def _trials_of_0002() -> sa.Table:
    columns: list[sa.Column[Any]] = [
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("architecture_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("seeds", sa.JSON(), nullable=False),
        sa.Column("decisions", sa.JSON(), nullable=True),
        sa.Column("best_accuracy", sa.Double(), nullable=True),
        sa.Column("best_epoch", sa.Integer(), nullable=True),
        sa.Column("last_accuracy", sa.Double(), nullable=True),
        sa.Column("last_epoch", sa.Integer(), nullable=True),
        sa.Column("epochs_done", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
    ]
    return sa.Table(
        "trials",
        sa.MetaData(),
        *columns,
        sa.PrimaryKeyConstraint("id", name="pk_trials"),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'complete') OR reason IS NOT NULL",
            name="ck_trials_reason",
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'complete', 'pruned', 'infeasible', 'failed', "
            "'preempted')",
            name="ck_trials_state",
        ),
        sa.ForeignKeyConstraint(
            ["architecture_id"],
            ["architectures.id"],
            name="fk_trials_architecture_id_architectures",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_trials_run_id_runs"),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name="fk_trials_study_id_studies"),
        sa.UniqueConstraint(
            "study_id", "architecture_id", name="uq_trials_study_id_architecture_id"
        ),
        sa.UniqueConstraint("study_id", "number", name="uq_trials_study_id_number"),
        sa.Index("ix_trials_architecture_id", "architecture_id"),
        sa.Index("ix_trials_run_id", "run_id"),
        sa.Index("ix_trials_study_id_state_best_accuracy", "study_id", "state", "best_accuracy"),
        sa.Index("ix_trials_best_accuracy", "best_accuracy"),
    )


def _write_plausible_logs() -> None:
    """What happened in which order, as far as the times in the old tables tell."""
    connection = op.get_bind()
    events = sa.table(
        "events", *map(sa.column, ("study_id", "number", "trial_id", "kind", "epoch"))
    )
    for (study_id,) in connection.execute(sa.text("SELECT id FROM studies ORDER BY id")).all():
        log = sorted(_moments(connection, study_id), key=lambda event: event[:3])
        rows = [
            {"study_id": study_id, "number": number, "trial_id": event[3]}
            | {"kind": event[4], "epoch": event[5]}
            for number, event in enumerate(log)
        ]
        if rows:
            connection.execute(events.insert(), rows)


def _moments(connection: sa.Connection, study_id: int) -> Iterator[tuple[Any, ...]]:
    """Per event: when, the trial's number, its place in the trial, trial id, kind, epoch."""
    epochs: dict[int, list[tuple[int, float]]] = {}
    for trial_id, epoch, seconds in connection.execute(_EPOCHS, {"study": study_id}):
        epochs.setdefault(trial_id, []).append((epoch, seconds))
    latest = float("-inf")
    for row in connection.execute(_TRIALS, {"study": study_id}):
        # Clocks of several hosts differ; the numbers say in which order trials were created.
        latest = now = max(latest, _seconds(row.created))
        yield now, row.number, 0, row.id, "created", None
        now = max(now, _seconds(row.started)) if row.started else now
        end = _seconds(row.ended) if row.ended else float("inf")
        place = 0
        for place, (epoch, seconds) in enumerate(epochs.get(row.id, []), start=1):
            now = max(now, min(now + seconds, end))
            yield now, row.number, place, row.id, "epoch", epoch
        if row.state in _ENDS:
            yield (
                max(now, end) if row.ended else now,
                row.number,
                place + 1,
                row.id,
                row.state,
                None,
            )


def _seconds(time: datetime) -> float:
    # SQLite keeps no zone; what it holds is UTC.
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


_TIMES = [sa.column(name, sa.DateTime(timezone=True)) for name in ("created", "started", "ended")]
_TRIALS = sa.text(
    "SELECT id, number, state, created, started, ended FROM trials "
    "WHERE study_id = :study ORDER BY number"
).columns(sa.column("id"), sa.column("number"), sa.column("state"), *_TIMES)
_EPOCHS = sa.text(
    "SELECT trial_id, epoch, coalesce(metrics.seconds, 0.0) FROM metrics "
    "JOIN trials ON trials.id = trial_id WHERE study_id = :study ORDER BY trial_id, epoch"
)
