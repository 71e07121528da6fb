"""The tables, as this code reads and writes them; `migrations` leads earlier stores here."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from monitoring.store.column_types import ExactFloat, UtcTime

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _times(*names: str) -> list[Column[object]]:
    return [Column(name, UtcTime, nullable=False) for name in names]


def _float(name: str, *, nullable: bool = False) -> Column[float]:
    return Column(name, ExactFloat, nullable=nullable)


deployment = Table(
    "deployment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("model", String, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("settings_digest", String, nullable=False),
    *_times("created_at", "used_at"),
    Column("timezone", String, nullable=False),
    Column("page_budget", String, nullable=False),
    _float("page_threshold"),
    Column("notice_budget", String, nullable=False),
    _float("notice_threshold"),
    Column("sensitivity", Text, nullable=False),
    Column("baseline", Text, nullable=False),
    Column("name", String, nullable=False, server_default=""),
    Column("traffic", String, nullable=False, server_default=""),
    Column("follows", Integer),
    Column("quiet_until", UtcTime),
    Column("checked_at", UtcTime),
    Column("next_due_at", UtcTime),
    Column("inputs", String, nullable=False, server_default=""),
    Column("traffic_state", String, nullable=False, server_default=""),
    Column("basis", String, nullable=False, server_default=""),
    Column("since", UtcTime),
    Column("metrics", Text, nullable=False, server_default="[]"),
    Column("measured", Text, nullable=False, server_default="[]"),
    Column("retired_at", UtcTime),
    Column("retired_as", String, nullable=False, server_default=""),
    UniqueConstraint("model", "version", "settings_digest"),
)

monitor = Table(
    "monitor",
    metadata,
    Column("name", String, primary_key=True),
    Column("config", String, nullable=False),
    *_times("first_run_at", "last_run_at"),
    Column("succeeded_at", UtcTime),
    Column("failures", Integer, nullable=False),
    Column("error", Text, nullable=False),
)

rebaseline = Table(
    "rebaseline",
    metadata,
    Column("deployment", ForeignKey("deployment.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    *_times("at", "start", "end", "since"),
    Column("by", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("former_digest", String, nullable=False),
    Column("former_basis", String, nullable=False),
    Column("former_since", UtcTime),
    Column("states", Text, nullable=False),
    Column("closed", Text, nullable=False),
    Column("undone_at", UtcTime),
    Column("undone_by", String, nullable=False, server_default=""),
)

level_state = Table(
    "level_state",
    metadata,
    Column("deployment", ForeignKey("deployment.id"), primary_key=True),
    Column("level", String, primary_key=True),
    Column("text", Text, nullable=False),
)

window = Table(
    "window",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("deployment", ForeignKey("deployment.id"), nullable=False),
    *_times("start", "end"),
    Column("rows", BigInteger, nullable=False),
    Column("labels", BigInteger, nullable=False),
    Column("labels_due", BigInteger, nullable=False),
    Column("labels_unknown", BigInteger, nullable=False),
    Column("repeats", BigInteger, nullable=False),
    Column("status", String, nullable=False),
    _float("page_log_evidence"),
    _float("notice_log_evidence"),
    Column("findings", Text, nullable=False),
    Column("label_cursor", Text, nullable=False),
    Column("estimates", Text),
    Column("unseen", BigInteger, nullable=False, server_default="0"),
    Column("labels_conflicting", BigInteger, nullable=False, server_default="0"),
    Column("label_delays", Text, nullable=False, server_default="[]"),
    Column("measured", Text, nullable=False, server_default="[]"),
    _float("loss_log_evidence"),
    *(Column(claim, Text, nullable=False, server_default="") for claim in ("fact", "unlabelled", "burn_in")),
    UniqueConstraint("deployment", "start"),
)

score = Table(
    "score",
    metadata,
    Column("window", ForeignKey("window.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("level", String, nullable=False),
    Column("watch", String, nullable=False),
    Column("slice", String, nullable=False),
    Column("rows", BigInteger, nullable=False),
    _float("value", nullable=True),
    _float("log_evidence"),
    Index("ix_score_watch", "window", "watch"),
)

incident = Table(
    "incident",
    metadata,
    Column("deployment", ForeignKey("deployment.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("level", String, nullable=False),
    Column("state", String, nullable=False),
    *_times("opened_at", "window_start", "window_end"),
    Column("watch", String, nullable=False),
    Column("slice", String, nullable=False),
    Column("diagnoses", Text, nullable=False),
    Column("recovery", Text, nullable=False),
    Column("acknowledged_at", UtcTime),
    Column("closed_at", UtcTime),
    Column("detail", Text),
    Column("history", Text, nullable=False, server_default="[]"),
    Column("previous", Integer),
    Column("consequence_of", Integer),
    Column("owner", String, nullable=False, server_default=""),
    Column("snoozed_until", UtcTime),
    Column("snoozed_until_worse", Boolean, nullable=False, server_default=false()),
    Column("closed_from", String, nullable=False, server_default=""),
)

incident_action = Table(
    "incident_action",
    metadata,
    Column("deployment", Integer, primary_key=True),
    Column("incident", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    *_times("at"),
    Column("by", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("until", UtcTime),
    Column("until_worse", Boolean, nullable=False),
    ForeignKeyConstraint(("deployment", "incident"), ("incident.deployment", "incident.number")),
)

notification = Table(
    "notification",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("deployment", ForeignKey("deployment.id"), nullable=False),
    Column("event", String, nullable=False),
    Column("incident", Integer),
    Column("state", String, nullable=False),
    *_times("at"),
    Column("reached", Text, nullable=False),
    Column("abandoned", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("completed_at", UtcTime),
    Column("given_up_at", UtcTime),
    Column("digest", Integer),
    Column("next_attempt_at", UtcTime),
    UniqueConstraint("deployment", "event"),
)

Index(
    "ix_notification_open",
    notification.c.deployment,
    sqlite_where=notification.c.completed_at.is_(None),
    postgresql_where=notification.c.completed_at.is_(None),
)

run = Table(
    "run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("deployment", ForeignKey("deployment.id"), nullable=False),
    *_times("started_at"),
    Column("ended_at", UtcTime),
    Column("windows", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("error", Text, nullable=False),
    Column("host", String, nullable=False),
    Column("version", String, nullable=False),
    Index("ix_run_deployment", "deployment", "id"),
)

window_attempt = Table(
    "window_attempt",
    metadata,
    Column("deployment", ForeignKey("deployment.id"), primary_key=True),
    Column("start", UtcTime, primary_key=True),
    *_times("end"),
    Column("attempts", Integer, nullable=False),
    *_times("started_at"),
    Column("judged_at", UtcTime),
    Column("error", Text, nullable=False),
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("deployment", ForeignKey("deployment.id"), primary_key=True),
    Column("start", UtcTime, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

backfill = Table(
    "backfill",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("deployment", ForeignKey("deployment.id"), nullable=False),
    *_times("start", "end", "until", "at"),
    Column("by", String, nullable=False),
    Column("only", String, nullable=False),
    Column("revised", Integer, nullable=False),
    Column("ended_at", UtcTime),
    Index("ix_backfill_deployment", "deployment", "id"),
)

window_revision = Table(
    "window_revision",
    metadata,
    Column("deployment", ForeignKey("deployment.id"), primary_key=True),
    Column("start", UtcTime, primary_key=True),
    Column("backfill", ForeignKey("backfill.id"), primary_key=True),
    *_times("end"),
    Column("rows", BigInteger, nullable=False),
    Column("labels", BigInteger, nullable=False),
    Column("status", String, nullable=False),
    _float("page_log_evidence"),
    _float("notice_log_evidence"),
)

added_labels = Table(
    "added_labels",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("deployment", ForeignKey("deployment.id"), nullable=False),
    *_times("at"),
    Column("by", String, nullable=False),
    Column("labels", BigInteger, nullable=False),
    Index("ix_added_labels_deployment", "deployment", "id"),
)

drill = Table(
    "drill",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("basis", String, nullable=False),
    *_times("at"),
    Column("by", String, nullable=False),
    Column("release", String, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("source", String, nullable=False),
    Column("source_windows", Integer, nullable=False),
    *_times("source_start", "source_end"),
    Column("lead", Integer, nullable=False),
    Column("windows", Integer, nullable=False),
    Column("replicates", Integer, nullable=False),
    Column("false_pages", Integer, nullable=False),
    Column("false_notices", Integer, nullable=False),
    Column("unfit", Text, nullable=False),
    Index("ix_drill_name", "name", "id"),
)

drill_result = Table(
    "drill_result",
    metadata,
    Column("drill", ForeignKey("drill.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("fault", String, nullable=False),
    Column("title", String, nullable=False),
    Column("what", Text, nullable=False),
    Column("touches", String, nullable=False),
    Column("level", String, nullable=False),
    Column("promised", Boolean, nullable=False),
    Column("replicates", Integer, nullable=False),
    Column("told", Integer, nullable=False),
    Column("median_delay", Integer),
    Column("cause", Text, nullable=False),
    Column("runs", Text, nullable=False),
)

rollout = Table(
    "rollout",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("model", String, nullable=False),
    Column("champion", BigInteger, nullable=False),
    Column("candidate", BigInteger, nullable=False),
    Column("mode", String, nullable=False),
    _float("share"),
    Column("salt", String, nullable=False),
    Column("settings", Text, nullable=False),
    Column("state", String, nullable=False),
    *_times("started_at"),
    Column("by", String, nullable=False),
    Column("release", String, nullable=False),
    _float("scale", nullable=True),
    Column("ended_at", UtcTime),
    Column("result", Text),
    Column("plan", Text),
    Column("follows", Integer),
    Index("ix_rollout_name", "name", "id"),
)

rollout_window = Table(
    "rollout_window",
    metadata,
    Column("rollout", ForeignKey("rollout.id"), primary_key=True),
    Column("start", UtcTime, primary_key=True),
    *_times("end"),
    Column("document", Text, nullable=False),
)

rollout_sample = Table(
    "rollout_sample",
    metadata,
    Column("rollout", ForeignKey("rollout.id"), primary_key=True),
    Column("start", UtcTime, primary_key=True),
    *_times("end"),
    Column("salt", String, nullable=False),
    _float("probability"),
    *_times("due"),
)

rollout_event = Table(
    "rollout_event",
    metadata,
    Column("rollout", ForeignKey("rollout.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    *_times("at"),
    Column("kind", String, nullable=False),
    Column("by", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("reached", Text, nullable=False, server_default="[]"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("completed_at", UtcTime),
)

lease = Table(
    "lease",
    metadata,
    Column("deployment", ForeignKey("deployment.id"), primary_key=True),
    Column("owner", String, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
)

fleet_member = Table(
    "fleet_member",
    metadata,
    Column("deployment", ForeignKey("deployment.id"), primary_key=True),
    Column("team", String, nullable=False),
    Column("budget", String, nullable=False),
    _float("log_evidence"),
    Column("alarmed", Boolean, nullable=False),
    _float("days"),
    *_times("counted_until"),
    Index("ix_fleet_member_team", "team"),
)

fleet_page = Table(
    "fleet_page",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("team", String, nullable=False),
    Column("deployment", ForeignKey("deployment.id"), nullable=False),
    *_times("at"),
    Column("budget", String, nullable=False),
    _float("log_evidence"),
    Column("members", Text, nullable=False),
    Index("ix_fleet_page_team", "team", "id"),
)

# SQLite would keep the text that a service of an earlier release, still at work, writes in the place of a float.
for _table in metadata.tables.values():
    for _column in [column for column in _table.columns if isinstance(column.type, ExactFloat)]:
        _checked = CheckConstraint(f"typeof({_column.name}) IN ('real', 'null')", name=_column.name)
        _table.append_constraint(_checked.ddl_if(dialect="sqlite"))
