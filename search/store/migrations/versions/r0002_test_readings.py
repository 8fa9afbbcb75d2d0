"""The audit of the test split, and an index for the best trials over all studies."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "test_readings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("architecture_id", sa.Text(), nullable=False),
        sa.Column("trial_id", sa.Integer(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("protocol_hash", sa.Text(), nullable=False),
        sa.Column("accuracy", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["architecture_id"],
            ["architectures.id"],
            name="fk_test_readings_architecture_id_architectures",
        ),
        sa.ForeignKeyConstraint(
            ["trial_id"], ["trials.id"], name="fk_test_readings_trial_id_trials"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_test_readings"),
    )
    op.create_index(
        "ix_test_readings_architecture_id", "test_readings", ["architecture_id"], unique=False
    )
    op.create_index("ix_trials_best_accuracy", "trials", ["best_accuracy"], unique=False)
