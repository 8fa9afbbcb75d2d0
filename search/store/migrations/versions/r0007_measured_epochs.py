"""What an epoch took beside its time: images by second, skipped steps, the most memory."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision: str | None = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Of earlier epochs nobody knows them.
    op.add_column("metrics", sa.Column("images_per_second", sa.Double(), nullable=True))
    op.add_column("metrics", sa.Column("skipped_steps", sa.Integer(), nullable=True))
    op.add_column("metrics", sa.Column("peak_memory_bytes", sa.BigInteger(), nullable=True))
