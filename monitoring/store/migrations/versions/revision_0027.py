"""The evidence of a team's deployments, and when it came to a page."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """No deployment was in a team before."""
    op.create_table(
        "fleet_member",
        sa.Column("deployment", sa.Integer(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("budget", sa.String(), nullable=False),
        sa.Column("log_evidence", sa.String(), nullable=False),
        sa.Column("alarmed", sa.Boolean(), nullable=False),
        sa.Column("days", sa.String(), nullable=False),
        sa.Column("counted_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("deployment", name="pk_fleet_member"),
        sa.ForeignKeyConstraint(["deployment"], ["deployment.id"], name="fk_fleet_member_deployment"),
    )
    op.create_index("ix_fleet_member_team", "fleet_member", ["team"])
    op.create_table(
        "fleet_page",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("deployment", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("budget", sa.String(), nullable=False),
        sa.Column("log_evidence", sa.String(), nullable=False),
        sa.Column("members", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_fleet_page"),
        sa.ForeignKeyConstraint(["deployment"], ["deployment.id"], name="fk_fleet_page_deployment"),
    )
    op.create_index("ix_fleet_page_team", "fleet_page", ["team", "id"])
