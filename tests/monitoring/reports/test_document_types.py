from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

from monitoring.records import (
    CauseDetail,
    CauseRow,
    Condition,
    EstimateRecord,
    InputDrift,
    IntervalChecks,
    LossSplit,
    MonitorStatus,
    SlicePart,
    Subgroup,
)
from monitoring.reports import StatusDocument, status_document


def fits(value: Any, kind: Any) -> bool:
    """Whether a value is of its type; a dictionary has exactly the keys that its type declares."""
    if is_typeddict(kind):
        hints = get_type_hints(kind)
        return value.keys() == hints.keys() and all(fits(value[name], inner) for name, inner in hints.items())
    if get_origin(kind) is list:
        return isinstance(value, list) and all(fits(one, get_args(kind)[0]) for one in value)
    if get_origin(kind) is dict:
        named, inner = get_args(kind)
        return all(fits(name, named) and fits(one, inner) for name, one in value.items())
    if get_origin(kind) in (UnionType, Union):
        return any(
            value is None if one is NoneType else value is not None and fits(value, one) for one in get_args(kind)
        )
    return isinstance(value, (int, float) if kind is float else kind)


def full(status: MonitorStatus) -> MonitorStatus:
    """A state in which every optional part has a value."""
    detail = CauseDetail(
        split=LossSplit(metric="brier", difficulty=0.1, surprise=0.2),
        parts=(SlicePart(metric="brier", column="origin", slice="origin=EWR", mix=0.1, loss=0.2),),
        inputs=(InputDrift(input="temp", log_evidence=4.0, explained=0.5, change=2.5),),
        rows=(CauseRow(prediction_id="a:0", event_time=datetime(2013, 4, 1, tzinfo=UTC), score=0.5),),
        subgroup=Subgroup(
            conditions=(
                Condition(input="temp", sign="≥", value=60.0),
                Condition(input="origin", sign="=", value="EWR"),
            ),
            rows=120,
            rise=0.25,
            others=0.01,
            error=0.05,
            p_value=0.0004,
            watch="surprise_error",
        ),
    )
    estimate = EstimateRecord(
        method="weighted",
        metric="error",
        rows=10,
        value=0.2,
        low=0.1,
        high=0.3,
        checked=0,
        expected=None,
        half=None,
        realised=None,
        trusted=True,
        interval_checks=IntervalChecks(),
        confusion=((0.5, 0.1), (0.1, 0.3)),
        effective=300.0,
    )
    return replace(
        status,
        windows=tuple(replace(window, estimates=(estimate,)) for window in status.windows),
        incidents=(replace(status.incidents[0], detail=detail), *status.incidents[1:]),
        baseline=tuple(replace(score, cycle="week", gain=1.5) for score in status.baseline),
    )


def test_a_document_has_exactly_the_keys_and_types_that_it_declares(status: MonitorStatus) -> None:
    assert fits(status_document(status), StatusDocument)
    assert fits(json.loads(json.dumps(status_document(full(status)))), StatusDocument)


def test_a_key_too_many_or_of_another_type_would_be_seen(status: MonitorStatus) -> None:
    document: dict[str, Any] = {**status_document(status)}
    assert not fits({**document, "more": 1}, StatusDocument)
    assert not fits({**document, "version": "1"}, StatusDocument)
    assert not fits({**document, "windows": [{}]}, StatusDocument)


def test_every_part_is_filled_where_the_state_has_it(status: MonitorStatus) -> None:
    document = status_document(full(status))
    incident = document["incidents"][0]
    assert incident["split"] is not None
    assert incident["decomposition"][0]["parts"]
    assert incident["inputs"][0]["input"] == "temp"
    assert incident["rows"][0]["event_time"] == "2013-04-01T00:00:00Z"
    assert document["windows"][0]["estimates"][0]["confusion"] == [[0.5, 0.1], [0.1, 0.3]]
    assert document["cycles"]
    assert document["trust"]
