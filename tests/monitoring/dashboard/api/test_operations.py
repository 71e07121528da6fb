"""The operations of the HTTP API."""

from __future__ import annotations

from typing import get_args

from monitoring.dashboard.api.operations import OPERATIONS
from monitoring.dashboard.api.resources import ActionRequest
from monitoring.records import ActionKind


def test_every_action_is_an_operation_that_takes_a_document_and_reads_take_none() -> None:
    acting = [one for one in OPERATIONS if one.action is not None]
    assert {one.action for one in acting} == set(get_args(ActionKind)) - {
        "run"
    }  # an action of the config takes its name
    assert {(one.method, one.body) for one in acting} == {("POST", ActionRequest)}
    reading = [one for one in OPERATIONS if one.action is None and one.takes is None]
    assert {(one.method, one.body) for one in reading} == {("GET", None)}
    changing = [one for one in OPERATIONS if one.takes is not None]
    assert {one.name for one in changing} == {"backfill", "rebaseline", "undo-rebaseline", "labels", "run-action"}
    assert all((one.method, one.body) == ("POST", one.takes) for one in changing)
