"""What the store knows of a prediction goes; sums, scores and other texts stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitoring.erasure.erase import rewrite
from monitoring.erasure.store_rows import erase_rows, erased_text
from monitoring.errors import CannotRun
from monitoring.records import (
    CauseDetail,
    CauseRow,
    Finding,
    IncidentAction,
    IncidentRecord,
    LegacyCause,
    Rebaseline,
    RunRecord,
    SlicePart,
    WindowClaims,
    WindowRecord,
)
from monitoring.sentences.incident_text import incident_text
from monitoring.store import DeploymentRecord, Store, checkpoints
from monitoring.store.column_types import detail_of, diagnoses_of
from tests.incident_words import worded
from tests.monitoring.store.conftest import APRIL

LONG = "x" * 80


def of(*ids: str) -> Callable[[tuple[str, ...]], tuple[bool, ...]]:
    return lambda found: tuple(one in ids for one in found)


def fill(store: Store, deployment: int, window: WindowRecord, incident: IncidentRecord) -> None:
    rows = tuple(CauseRow(prediction_id=one, event_time=APRIL, score=0.5) for one in ("a:0", "b:0", "b:1"))
    part = SlicePart(metric="brier", column="origin", slice="EWR", mix=0.1, loss=0.2)
    incident = replace(
        incident, detail=CauseDetail(parts=(part,), rows=rows), diagnoses=worded("", "Look at b:0, b:01 and -b:0.")
    )
    findings = (
        Finding(
            kind="unknown predictions", feature="", message=f"2 labels are of no known prediction; one {LONG[:60]!r}."
        ),
        Finding(kind="other", feature="", message="Nothing."),
    )
    store.commit_window(
        deployment,
        replace(window, findings=findings, claims=WindowClaims(fact=findings[0].message)),
        states={"page": "1", "compared": '{"label": "ada@example.org"}'},
        label_cursor={"n": 7},
        incidents=(incident,),
    )
    action = IncidentAction(at=APRIL + timedelta(days=2), by="me", kind="note", text="b:0 is ada@example.org.")
    store.incidents.act(deployment, 1, action)
    store.runs.begin(deployment, RunRecord(started_at=APRIL, error="Row 'b:0' is broken."))


def test_rows_and_texts_go_and_the_rest_stays(
    store: Store, deployment: int, window: Callable[..., WindowRecord], incident: IncidentRecord, tmp_path: Path
) -> None:
    fill(store, deployment, window(), incident)
    before = store.windows.read(deployment)[0]
    found = erase_rows(store, of("b:0", "b:1"), ("b:0", "b:1", LONG, "ada@example.org"), APRIL)
    assert found == {
        "incident rows": 2,
        "findings": 1,
        "checkpoints": 0,
        "statistics": 1,
        "incident messages": 1,
        "notes": 1,
        "errors of runs": 1,
    }
    kept = store.incidents.get(deployment, 1)
    assert [row.prediction_id for row in kept.detail.rows] == ["a:0"]
    assert kept.detail.parts[0].slice == "EWR"
    assert incident_text(kept).message == "Look at [erased], b:01 and -b:0."
    assert kept.actions[0].text == "[erased] is [erased]."
    assert store.runs.latest(deployment)[0].error == "Row '[erased]' is broken."
    after = store.windows.read(deployment)[0]
    assert replace(after, findings=()) == replace(before, findings=())
    assert [one.message for one in after.findings][1] == "Nothing."
    assert store.deployments.states(deployment) == {"page": "1", "compared": ""}
    last = store.windows.last(deployment)
    assert last is not None
    assert last.label_cursor == {"n": 7}
    assert last.record.claims.fact == after.findings[0].message != before.findings[0].message
    assert not any(erase_rows(store, of("b:0", "b:1"), ("b:0", "b:1"), APRIL).values())
    assert rewrite(store) == ()
    data = b"".join(path.read_bytes() for path in tmp_path.glob("pitfalls.db*"))
    assert b"b:1" not in data
    assert LONG[:60].encode() not in data
    assert b"ada@" not in data


def test_what_backfills_begin_from_is_erased_too(
    store: Store, deployment: int, window: Callable[..., WindowRecord], incident: IncidentRecord
) -> None:
    fill(store, deployment, window(), incident)
    start = APRIL + timedelta(days=1)
    with store.transactions.engine.begin() as connection:
        checkpoints.keep(connection, deployment, start)
    found = erase_rows(store, of("b:0", "b:1"), ("b:0", "b:1", "ada@example.org"), APRIL)
    assert found["checkpoints"] == 1
    with store.transactions.engine.connect() as connection:
        before = checkpoints.read(connection, deployment, start)
    assert before is not None
    assert before.states == {"page": "1", "compared": ""}
    kept = before.incidents[1]
    [diagnosis] = diagnoses_of(kept["diagnoses"] or "")
    assert isinstance(diagnosis.cause, LegacyCause)
    assert diagnosis.cause.text == "Look at [erased], b:01 and -b:0."
    assert [row.prediction_id for row in detail_of(kept["detail"]).rows] == ["a:0"]


def test_statistics_of_before_a_new_baseline_go_too(
    store: Store, deployment_record: DeploymentRecord, window: Callable[..., WindowRecord], incident: IncidentRecord
) -> None:
    former = replace(deployment_record, basis="former")
    number = store.find_or_create(former)
    fill(store, number, window(), incident)
    change = Rebaseline(
        at=APRIL, by="me", reason="b:0 is normal", start=APRIL, end=APRIL, since=APRIL, former_basis="former"
    )
    later = replace(former, settings_digest="cd" * 32, basis="new", since=APRIL, rebaseline=change)
    assert store.find_or_create(later) == number
    found = erase_rows(store, of(), ("b:0", "ada@example.org"), APRIL)
    assert (found["statistics"], found["notes"]) == (2, 2)
    assert not any(erase_rows(store, of(), ("b:0", "ada@example.org"), APRIL).values())


def test_a_run_that_is_judging_is_waited_for_by_the_person(store: Store, deployment: int) -> None:
    lease = store.leases.take(deployment, "run", APRIL, 60)
    with pytest.raises(CannotRun, match="A run is judging"):
        erase_rows(store, of("a:0"), ("a:0",), APRIL)
    lease.release()
    assert not any(erase_rows(store, of("a:0"), ("a:0",), APRIL).values())


@pytest.mark.parametrize(
    ("text", "expected"),
    [("id a:0.", "id [erased]."), ("ids 'a:0' and a:00", "ids '[erased]' and a:00"), ("xa:0", "xa:0"), ("", "")],
)
def test_a_word_is_found_whole(text: str, expected: str) -> None:
    assert erased_text(text, ["a:0"]) == expected
