"""The accuracy that a trial is judged by, which is no longer always that of its best epoch."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("trials", sa.Column("accuracy", sa.Double(), nullable=True))
    # Protocols without `judged_by` are judged by the best epoch, as all were until now.
    op.execute("UPDATE trials SET accuracy = best_accuracy")
    op.drop_index("ix_trials_best_accuracy", "trials")
    op.drop_index("ix_trials_study_id_state_best_accuracy", "trials")
    op.create_index("ix_trials_accuracy", "trials", ["accuracy"])
    op.create_index(
        "ix_trials_study_id_state_accuracy", "trials", ["study_id", "state", "accuracy"]
    )
