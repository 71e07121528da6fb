"""All that came between release 0.1.0 and the first revision that is kept for itself.

People's actions on incidents, runs, an outbox of events, new baselines, attempts and backfills, metrics, labels over
the HTTP API, and drills: stores of 0.1.0 have none of these yet.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0007"

#: Columns of incidents that the outbox takes the place of.
_REPLACED = ("told", "tellings", "told_at")

#: The news of each incident that not everybody was notified of is an event; after 96 attempts it was given up, although
#: it was stored as delivered.
_EVENTS = """
INSERT INTO notification
    (deployment, event, incident, state, at, reached, abandoned, attempts, completed_at, given_up_at, digest)
SELECT i.deployment, d.model || '/' || d.id || '/' || i.number || '/0', i.number, 'open', i.opened_at, i.told, '[]',
       i.tellings, NULL, CASE WHEN i.tellings >= 96 THEN i.told_at END, NULL
FROM incident AS i JOIN deployment AS d ON d.id = i.deployment
WHERE i.told_at IS NULL OR i.tellings >= 96
ORDER BY i.deployment, i.number
"""


def upgrade() -> None:
    """Deployments made before have their model's name; everything else begins without a past."""
    _deployments()
    _outbox()
    _incidents()
    _runs_and_backfills()
    op.create_index("ix_score_watch", "score", ["window", "watch"])
    _added_labels()
    _drills()


def _deployments() -> None:
    """Their names, what their last run left, what their evidence is held against, new baselines, and metrics."""
    op.add_column("deployment", sa.Column("name", sa.String(), nullable=False, server_default=""))
    op.add_column("deployment", sa.Column("traffic", sa.String(), nullable=False, server_default=""))
    op.add_column("deployment", sa.Column("follows", sa.Integer(), nullable=True))
    op.add_column("deployment", sa.Column("quiet_until", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE deployment SET name = model")
    op.add_column("deployment", sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("deployment", sa.Column("next_due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("deployment", sa.Column("inputs", sa.String(), nullable=False, server_default=""))
    op.add_column("deployment", sa.Column("traffic_state", sa.String(), nullable=False, server_default=""))
    op.add_column("deployment", sa.Column("basis", sa.String(), nullable=False, server_default=""))
    op.add_column("deployment", sa.Column("since", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "rebaseline",
        sa.Column("deployment", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("former_digest", sa.String(), nullable=False),
        sa.Column("former_basis", sa.String(), nullable=False),
        sa.Column("former_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("states", sa.Text(), nullable=False),
        sa.Column("closed", sa.Text(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.String(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("deployment", "position", name="pk_rebaseline"),
        sa.ForeignKeyConstraint(["deployment"], ["deployment.id"], name="fk_rebaseline_deployment"),
    )
    op.add_column("deployment", sa.Column("metrics", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("deployment", sa.Column("measured", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("window", sa.Column("measured", sa.Text(), nullable=False, server_default="[]"))


def _outbox() -> None:
    """A row for each state that an incident enters, and for each digest."""
    op.create_table(
        "notification",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deployment", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reached", sa.Text(), nullable=False),
        sa.Column("abandoned", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("given_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("digest", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notification"),
        sa.ForeignKeyConstraint(["deployment"], ["deployment.id"], name="fk_notification_deployment"),
        sa.UniqueConstraint("deployment", "event", name="uq_notification_deployment_event"),
    )
    op.execute(_EVENTS)
    for column in _REPLACED:
        op.drop_column("incident", column)


def _incidents() -> None:
    """Their history, and what people do with them."""
    op.add_column("incident", sa.Column("history", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("incident", sa.Column("previous", sa.Integer()))
    op.add_column("incident", sa.Column("owner", sa.String(), nullable=False, server_default=""))
    op.add_column("incident", sa.Column("snoozed_until", sa.DateTime(timezone=True)))
    op.add_column("incident", sa.Column("snoozed_until_worse", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("incident", sa.Column("closed_from", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "incident_action",
        sa.Column("deployment", sa.Integer(), nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True)),
        sa.Column("until_worse", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment", "incident"], ["incident.deployment", "incident.number"], name="fk_incident_action_deployment"
        ),
        sa.PrimaryKeyConstraint("deployment", "incident", "position", name="pk_incident_action"),
    )


def _runs_and_backfills() -> None:
    """Runs, attempts at judging windows, and windows that are judged again."""
    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deployment", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("windows", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["deployment"], ["deployment.id"], name="fk_run_deployment"),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
    )
    op.create_index("ix_run_deployment", "run", ["deployment", "id"])
    op.create_table(
        "window_attempt",
        sa.Column("deployment", sa.Integer(), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("deployment", "start", name="pk_window_attempt"),
        sa.ForeignKeyConstraint(["deployment"], ["deployment.id"], name="fk_window_attempt_deployment"),
    )
    op.create_table(
        "checkpoint",
        sa.Column("deployment", sa.Integer(), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("deployment", "start", name="pk_checkpoint"),
        sa.ForeignKeyConstraint(["deployment"], ["deployment.id"], name="fk_checkpoint_deployment"),
    )
    op.create_table(
        "backfill",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deployment", sa.Integer(), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("only", sa.String(), nullable=False),
        sa.Column("revised", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_backfill"),
        sa.ForeignKeyConstraint(["deployment"], ["deployment.id"], name="fk_backfill_deployment"),
    )
    op.create_index("ix_backfill_deployment", "backfill", ["deployment", "id"])
    op.create_table(
        "window_revision",
        sa.Column("deployment", sa.Integer(), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("backfill", sa.Integer(), nullable=False),
        sa.Column("end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("labels", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("page_log_evidence", sa.String(), nullable=False),
        sa.Column("notice_log_evidence", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("deployment", "start", "backfill", name="pk_window_revision"),
        sa.ForeignKeyConstraint(["deployment"], ["deployment.id"], name="fk_window_revision_deployment"),
        sa.ForeignKeyConstraint(["backfill"], ["backfill.id"], name="fk_window_revision_backfill"),
    )


def _added_labels() -> None:
    """Who sent labels over the HTTP API."""
    op.create_table(
        "added_labels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deployment", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("labels", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_added_labels"),
        sa.ForeignKeyConstraint(["deployment"], ["deployment.id"], name="fk_added_labels_deployment"),
    )
    op.create_index("ix_added_labels_deployment", "added_labels", ["deployment", "id"])


def _drills() -> None:
    """Drills and their results."""
    op.create_table(
        "drill",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_windows", sa.Integer(), nullable=False),
        sa.Column("source_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lead", sa.Integer(), nullable=False),
        sa.Column("windows", sa.Integer(), nullable=False),
        sa.Column("replicates", sa.Integer(), nullable=False),
        sa.Column("false_pages", sa.Integer(), nullable=False),
        sa.Column("false_notices", sa.Integer(), nullable=False),
        sa.Column("unfit", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_drill"),
    )
    op.create_index("ix_drill_name", "drill", ["name", "id"])
    op.create_table(
        "drill_result",
        sa.Column("drill", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("fault", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("touches", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("promised", sa.Boolean(), nullable=False),
        sa.Column("replicates", sa.Integer(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("median_delay", sa.Integer(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("runs", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("drill", "position", name="pk_drill_result"),
        sa.ForeignKeyConstraint(["drill"], ["drill.id"], name="fk_drill_result_drill"),
    )
