"""How many of a network's token mixers an epoch computed by fused kernels."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision: str | None = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Of earlier epochs nobody knows it.
    op.add_column("metrics", sa.Column("fused_mixers", sa.Integer(), nullable=True))
