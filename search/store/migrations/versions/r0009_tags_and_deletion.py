"""Tags and notes of architectures; indexes without which deleting a study reads all others."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision: str | None = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "architecture_tags",
        sa.Column("architecture_id", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        _of_an_architecture("architecture_tags"),
        sa.PrimaryKeyConstraint("architecture_id", "tag", name="pk_architecture_tags"),
    )
    op.create_index("ix_architecture_tags_tag", "architecture_tags", ["tag"])
    op.create_table(
        "architecture_notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("architecture_id", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        _of_an_architecture("architecture_notes"),
        sa.PrimaryKeyConstraint("id", name="pk_architecture_notes"),
    )
    op.create_index(
        "ix_architecture_notes_architecture_id", "architecture_notes", ["architecture_id"]
    )
    op.create_index("ix_events_trial_id", "events", ["trial_id"])
    op.create_index("ix_test_readings_trial_id", "test_readings", ["trial_id"])
    for column in ("source_trial_id", "parent_trial_id"):
        some = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_trials_{column}",
            "trials",
            [column],
            sqlite_where=some,
            postgresql_where=some,
        )


def _of_an_architecture(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_architecture_id_architectures"
    return sa.ForeignKeyConstraint(["architecture_id"], ["architectures.id"], name=name)
