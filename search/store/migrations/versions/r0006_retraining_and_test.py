"""What a study retrains, and on how many images, of what content, the test split was read."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision: str | None = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("studies", sa.Column("retrains", sa.JSON(), nullable=True))
    op.add_column("test_readings", sa.Column("images", sa.Integer(), nullable=True))
    op.add_column("test_readings", sa.Column("chance", sa.Double(), nullable=True))
    op.add_column("test_readings", sa.Column("content_hash", sa.Text(), nullable=True))
    op.add_column("test_readings", sa.Column("device", sa.Text(), nullable=True))
