"""Latencies: settings, parts, predictors, measured networks, and the setting of a study."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision: str | None = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("studies", sa.Column("latency_setting", sa.Text(), nullable=True))
    op.create_table(
        "latency_settings",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("device", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_latency_settings"),
    )
    op.create_table(
        "latency_parts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("setting_id", sa.Text(), nullable=False),
        sa.Column("part_id", sa.Text(), nullable=False),
        sa.Column("part", sa.JSON(), nullable=False),
        sa.Column("figure", sa.JSON(), nullable=False),
        _of_a_setting("latency_parts"),
        sa.PrimaryKeyConstraint("id", name="pk_latency_parts"),
    )
    op.create_index(
        "ix_latency_parts_setting_id_part_id", "latency_parts", ["setting_id", "part_id"]
    )
    op.create_table(
        "latency_predictors",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("setting_id", sa.Text(), nullable=False),
        sa.Column("space_id", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("predictor", sa.JSON(), nullable=False),
        _of_a_setting("latency_predictors"),
        sa.PrimaryKeyConstraint("id", name="pk_latency_predictors"),
    )
    op.create_index("ix_latency_predictors_setting_id", "latency_predictors", ["setting_id"])
    op.create_table(
        "latencies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("setting_id", sa.Text(), nullable=False),
        sa.Column("architecture_id", sa.Text(), nullable=False),
        sa.Column("median_ms", sa.Double(), nullable=False),
        sa.Column("disturbed", sa.Boolean(), nullable=False),
        sa.Column("measured_for", sa.Text(), nullable=False),
        sa.Column("figure", sa.JSON(), nullable=False),
        _of_a_setting("latencies"),
        sa.PrimaryKeyConstraint("id", name="pk_latencies"),
    )
    op.create_index(
        "ix_latencies_setting_id_architecture_id", "latencies", ["setting_id", "architecture_id"]
    )


def _of_a_setting(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_setting_id_latency_settings"
    return sa.ForeignKeyConstraint(["setting_id"], ["latency_settings.id"], name=name)
