from __future__ import annotations

from dataclasses import fields

from sqlalchemy import UniqueConstraint

from monitoring.records import IncidentAction, IncidentRecord, RunRecord, ScoreRecord, WindowRecord
from monitoring.store.labels.added_labels import AddedLabels
from monitoring.store.migrations import REVISION_TABLE
from monitoring.store.tables import added_labels, incident, incident_action, metadata, run, score, window

#: Fields of a window that are in a table of their own, or in one text with others.
ELSEWHERE = {"scores", "estimates", "settled", "realised_losses"}


def test_the_names_of_tables_and_columns_are_those_of_stores_of_earlier_versions() -> None:
    assert {table.name: [column.name for column in table.columns] for table in metadata.sorted_tables} == {
        "deployment": [
            "id",
            "model",
            "version",
            "settings_digest",
            "created_at",
            "used_at",
            "timezone",
            "page_budget",
            "page_threshold",
            "notice_budget",
            "notice_threshold",
            "sensitivity",
            "baseline",
            "name",
            "traffic",
            "follows",
            "quiet_until",
            "checked_at",
            "next_due_at",
            "inputs",
            "traffic_state",
            "basis",
            "since",
            "metrics",
            "measured",
        ],
        "rebaseline": [
            "deployment",
            "position",
            "at",
            "start",
            "end",
            "since",
            "by",
            "reason",
            "former_digest",
            "former_basis",
            "former_since",
            "states",
            "closed",
            "undone_at",
            "undone_by",
        ],
        "incident": [
            "deployment",
            "number",
            "level",
            "state",
            "opened_at",
            "window_start",
            "window_end",
            "watch",
            "slice",
            "cause",
            "message",
            "recovery",
            "acknowledged_at",
            "closed_at",
            "detail",
            "history",
            "previous",
            "owner",
            "snoozed_until",
            "snoozed_until_worse",
            "closed_from",
        ],
        "incident_action": [
            "deployment",
            "incident",
            "position",
            "at",
            "by",
            "kind",
            "text",
            "until",
            "until_worse",
        ],
        "notification": [
            "id",
            "deployment",
            "event",
            "incident",
            "state",
            "at",
            "reached",
            "abandoned",
            "attempts",
            "completed_at",
            "given_up_at",
            "digest",
        ],
        "run": ["id", "deployment", "started_at", "ended_at", "windows", "rows", "error", "host", "version"],
        "lease": ["deployment", "owner", "expires_at"],
        "level_state": ["deployment", "level", "text"],
        "window": [
            "id",
            "deployment",
            "start",
            "end",
            "rows",
            "labels",
            "labels_due",
            "labels_unknown",
            "repeats",
            "status",
            "page_log_evidence",
            "notice_log_evidence",
            "findings",
            "label_cursor",
            "estimates",
            "unseen",
            "labels_conflicting",
            "label_delays",
            "measured",
        ],
        "window_attempt": ["deployment", "start", "end", "attempts", "started_at", "judged_at", "error"],
        "checkpoint": ["deployment", "start", "content"],
        "backfill": ["id", "deployment", "start", "end", "until", "at", "by", "only", "revised", "ended_at"],
        "added_labels": ["id", "deployment", "at", "by", "labels"],
        "window_revision": [
            "deployment",
            "start",
            "backfill",
            "end",
            "rows",
            "labels",
            "status",
            "page_log_evidence",
            "notice_log_evidence",
        ],
        "score": ["window", "position", "level", "watch", "slice", "rows", "value", "log_evidence"],
    }
    assert REVISION_TABLE == "pitfalls_revision"


def test_every_field_of_a_record_has_a_column() -> None:
    for record, table, elsewhere in (
        (IncidentRecord, incident, {"actions"}),
        (IncidentAction, incident_action, set()),
        (RunRecord, run, set()),
        (AddedLabels, added_labels, set()),
        (ScoreRecord, score, set()),
        (WindowRecord, window, ELSEWHERE),
    ):
        assert {field.name for field in fields(record)} - elsewhere <= set(table.columns.keys())


def test_no_two_windows_of_a_deployment_begin_at_the_same_time() -> None:
    unique = [constraint for constraint in window.constraints if isinstance(constraint, UniqueConstraint)]
    assert [column.name for column in unique[0].columns] == ["deployment", "start"]
