"""How many trials an architecture has, and an index of those that have several."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision: str | None = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    trials = sa.Column("trials", sa.Integer(), nullable=False, server_default="1")
    op.add_column("architectures", trials)
    op.execute(
        "UPDATE architectures SET trials = "
        "(SELECT count(*) FROM trials WHERE trials.architecture_id = architectures.id)"
    )
    often = sa.text("trials > 1")
    op.create_index(
        "ix_architectures_met_often",
        "architectures",
        ["id", "trials"],
        sqlite_where=often,
        postgresql_where=often,
    )
