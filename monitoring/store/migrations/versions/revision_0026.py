"""Deployments that are not in use any more, monitors of configs, and when a notification is tried next."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Of each name the deployment that was used last is in use; what is pending is tried by the next run."""
    op.add_column("deployment", sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("deployment", sa.Column("retired_as", sa.String(), nullable=False, server_default=""))
    op.execute(
        """
        UPDATE deployment SET retired_at = used_at, retired_as = 'replaced'
        WHERE EXISTS (
          SELECT 1 FROM deployment AS other
          WHERE CASE WHEN other.name = '' THEN other.model ELSE other.name END
              = CASE WHEN deployment.name = '' THEN deployment.model ELSE deployment.name END
            AND (other.used_at > deployment.used_at
                 OR (other.used_at = deployment.used_at AND other.id > deployment.id)))
        """
    )
    op.create_table(
        "monitor",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("config", sa.String(), nullable=False),
        sa.Column("first_run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("succeeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_monitor"),
    )
    op.add_column("notification", sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_notification_open",
        "notification",
        ["deployment"],
        sqlite_where=sa.text("completed_at IS NULL"),
        postgresql_where=sa.text("completed_at IS NULL"),
    )
