"""An outbox of events: a row for each state that an incident enters, and for each digest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

#: Columns of incidents that the new table takes the place of.
_REPLACED = ("told", "tellings", "told_at", "given_up_at")


def upgrade() -> None:
    """The last news of each incident that not everybody was notified of is an event; all the rest was delivered."""
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


_EVENTS = """
INSERT INTO notification
    (deployment, event, incident, state, at, reached, abandoned, attempts, completed_at, given_up_at, digest)
SELECT i.deployment,
       coalesce(nullif(d.name, ''), d.model) || '/' || d.id || '/' || i.number || '/' || i.worse,
       i.number,
       CASE WHEN i.worse > 0 THEN 'worse' ELSE 'open' END,
       i.opened_at, i.told, '[]', i.tellings, NULL, i.given_up_at, NULL
FROM (
    SELECT deployment, number, opened_at, told, tellings, given_up_at,
           (length(history) - length(replace(history, '"worse"', ''))) / 7 AS worse
    FROM incident WHERE told_at IS NULL
) AS i JOIN deployment AS d ON d.id = i.deployment
ORDER BY i.deployment, i.number
"""
