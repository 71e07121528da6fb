"""The tables of release 0.1.0."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = None


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _name(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _count(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _owner(table: str, column: str = "deployment") -> list[sa.schema.SchemaItem]:
    return [
        sa.Column(column, sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint([column], [f"{column}.id"], name=f"fk_{table}_{column}"),
    ]


def upgrade() -> None:
    """From nothing."""
    op.create_table(
        "deployment",
        sa.Column("id", sa.Integer(), nullable=False),
        *_name("model"),
        *_count("version"),
        *_name("settings_digest"),
        _time("created_at"),
        _time("used_at"),
        *_name("timezone", "page_budget", "page_threshold", "notice_budget", "notice_threshold"),
        *_text("sensitivity", "baseline"),
        sa.PrimaryKeyConstraint("id", name="pk_deployment"),
        sa.UniqueConstraint("model", "version", "settings_digest", name="uq_deployment_model_version_settings_digest"),
    )
    op.create_table(
        "level_state",
        *_owner("level_state"),
        *_name("level"),
        *_text("text"),
        sa.PrimaryKeyConstraint("deployment", "level", name="pk_level_state"),
    )
    op.create_table(
        "window",
        sa.Column("id", sa.Integer(), nullable=False),
        *_owner("window"),
        _time("start"),
        _time("end"),
        *_count("rows", "labels", "labels_due", "labels_unknown", "repeats"),
        *_name("status", "page_log_evidence", "notice_log_evidence"),
        *_text("findings", "label_cursor"),
        sa.Column("estimates", sa.Text(), nullable=True),
        sa.Column("unseen", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("labels_conflicting", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("label_delays", sa.Text(), nullable=False, server_default="[]"),
        sa.PrimaryKeyConstraint("id", name="pk_window"),
        sa.UniqueConstraint("deployment", "start", name="uq_window_deployment_start"),
    )
    op.create_table(
        "score",
        *_owner("score", "window"),
        sa.Column("position", sa.Integer(), nullable=False),
        *_name("level", "watch", "slice"),
        *_count("rows"),
        sa.Column("value", sa.String(), nullable=True),
        *_name("log_evidence"),
        sa.PrimaryKeyConstraint("window", "position", name="pk_score"),
    )
    op.create_table(
        "incident",
        *_owner("incident"),
        sa.Column("number", sa.Integer(), nullable=False),
        *_name("level", "state"),
        _time("opened_at"),
        _time("window_start"),
        _time("window_end"),
        *_name("watch", "slice"),
        *_text("cause", "message", "recovery"),
        _time("acknowledged_at", nullable=True),
        _time("closed_at", nullable=True),
        sa.Column("told", sa.Text(), nullable=False, server_default="[]"),
        sa.Column("tellings", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("deployment", "number", name="pk_incident"),
    )
    op.create_table(
        "lease",
        *_owner("lease"),
        *_name("owner"),
        _time("expires_at"),
        sa.PrimaryKeyConstraint("deployment", name="pk_lease"),
    )
