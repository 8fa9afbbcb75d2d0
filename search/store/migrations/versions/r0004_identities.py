"""What identifies a run's process, a name for a study that no other has, its checkpoints."""

from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("boot_id", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("pid_namespace", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("start_ticks", sa.BigInteger(), nullable=True))
    op.add_column("studies", sa.Column("uid", sa.Text(), nullable=True))
    op.add_column("studies", sa.Column("checkpoints", sa.JSON(), nullable=True))
    _name_the_studies()
    # SQLite cannot change a column: there the table is written anew, as its definition says.
    with op.batch_alter_table("studies", copy_from=_studies_before()) as table:
        table.alter_column("uid", existing_type=sa.Text(), nullable=False)
        table.create_unique_constraint("uq_studies_uid", ["uid"])


def _name_the_studies() -> None:
    connection = op.get_bind()
    studies = sa.table("studies", sa.column("id"), sa.column("uid"))
    named = studies.update().where(studies.c.id == sa.bindparam("study"))
    for study_id in connection.scalars(sa.select(studies.c.id)).all():
        connection.execute(named, {"study": study_id, "uid": uuid4().hex})


def _studies_before() -> sa.Table:
    columns: list[sa.Column[Any]] = [
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("space", sa.JSON(), nullable=False),
        sa.Column("protocol", sa.JSON(), nullable=False),
        sa.Column("protocol_hash", sa.Text(), nullable=False),
        sa.Column("objective", sa.JSON(), nullable=False),
        sa.Column("planned_trials", sa.Integer(), nullable=False),
        sa.Column("searcher", sa.Text(), nullable=False),
        sa.Column("scheduler", sa.Text(), nullable=False),
        sa.Column("seeds", sa.JSON(), nullable=False),
        sa.Column("code_version", sa.Text(), nullable=False),
        sa.Column("exhausted", sa.Text(), nullable=True),
        sa.Column("uid", sa.Text(), nullable=True),
        sa.Column("checkpoints", sa.JSON(), nullable=True),
    ]
    return sa.Table(
        "studies",
        sa.MetaData(),
        *columns,
        sa.PrimaryKeyConstraint("id", name="pk_studies"),
        sa.UniqueConstraint("name", name="uq_studies_name"),
    )
