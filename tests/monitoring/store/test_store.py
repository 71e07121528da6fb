from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.errors import BadInput, CannotRun
from monitoring.records import (
    BaselineScore,
    CauseDetail,
    CauseRow,
    Diagnosis,
    Finding,
    IncidentEvent,
    IncidentRecord,
    IncidentState,
    InputDrift,
    Level,
    LossSplit,
    ScoreRecord,
    Sensitivity,
    SlicePart,
    WindowAttempt,
    WindowRecord,
    WindowStatus,
)
from monitoring.records.state_names import WITNESS, StateName
from monitoring.store import DeploymentRecord, Lease, Store
from monitoring.store import added_labels as module
from monitoring.store.added_labels import AddedLabels
from monitoring.store.runs import LONGEST_ERROR
from monitoring.store.store import WindowEnd
from tests.monitoring.store.conftest import APRIL

MakeWindow = Callable[..., WindowRecord]


def commit(store: Store, deployment: int, window: WindowRecord, *incidents: IncidentRecord) -> None:
    store.commit_window(
        deployment, window, states={"page": f"after {window.start}"}, label_cursor={"segment": 7}, incidents=incidents
    )


def test_before_the_first_window_there_is_nothing(store: Store, deployment: int) -> None:
    assert store.windows.last(deployment) is None
    assert store.deployments.states(deployment) == {}
    assert store.windows.read(deployment) == ()
    assert store.incidents.read(deployment) == ()
    assert store.deployments.sensitivity(deployment) == ()
    assert store.deployments.baseline(deployment) == ()


def test_a_window_comes_back_from_another_process_s_point_of_view(
    store: Store, url: str, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    commit(store, deployment, window(0))
    commit(store, deployment, window(1, scores=0), incident)
    with Store.open(url) as other:
        assert other.windows.read(deployment) == (window(0), window(1, scores=0))
        assert other.windows.read(deployment, scores=False) == (window(0, scores=0), window(1, scores=0))
        last = other.windows.last(deployment)
        assert last is not None
        assert (last.record, last.label_cursor) == (window(1, scores=0), {"segment": 7})
        assert other.deployments.states(deployment) == {"page": f"after {window(1).start}"}
        assert other.incidents.read(deployment) == (incident,)


def test_a_commit_that_fails_at_its_end_leaves_nothing(
    store: Store, deployment: int, window: MakeWindow, incident: IncidentRecord
) -> None:
    naive = replace(incident, opened_at=datetime(2013, 4, 1))  # noqa: DTZ001 (a time without a zone is the point)
    with pytest.raises(ValueError, match="without a zone"):
        commit(store, deployment, window(0), naive)
    assert store.windows.read(deployment) == ()
    assert store.deployments.states(deployment) == {}


def test_a_store_that_breaks_while_open_says_so(store: Store, deployment: int, tmp_path: Path) -> None:
    store.close()
    (tmp_path / "pitfalls.db").write_bytes(b"no longer a database" * 1000)
    with pytest.raises(CannotRun, match=r"cannot be used.*not a database"):
        store.windows.read(deployment)


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


floats = st.floats(allow_nan=False).map(lambda value: value + 0.0)  # SQLite has no -0.0


counts = st.integers(0, 2**62)


levels = st.sampled_from(get_args(Level))


moments = st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001 (bounds are bare)
    datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda moment: moment.replace(fold=0))  # UTC has no hour twice


scores = st.builds(
    ScoreRecord, level=levels, watch=texts, slice=texts, rows=counts, value=st.none() | floats, log_evidence=floats
)


findings = st.builds(Finding, kind=texts, feature=texts, message=texts, fact=st.booleans())


windows = st.builds(
    WindowRecord,
    start=moments,
    end=moments,
    rows=counts,
    labels=counts,
    labels_due=counts,
    labels_unknown=counts,
    repeats=counts,
    status=st.sampled_from(get_args(WindowStatus)),
    page_log_evidence=floats,
    notice_log_evidence=floats,
    findings=st.lists(findings, max_size=2).map(tuple),
    scores=st.lists(scores, max_size=4).map(tuple),
    label_delays=st.lists(counts, max_size=27).map(tuple),
)


finite = st.floats(allow_nan=False, allow_infinity=False).map(lambda value: value + 0.0)


details = st.builds(
    CauseDetail,
    split=st.none() | st.builds(LossSplit, metric=texts, difficulty=finite, surprise=finite),
    parts=st.lists(st.builds(SlicePart, metric=texts, column=texts, slice=texts, mix=finite, loss=finite)).map(tuple),
    inputs=st.lists(st.builds(InputDrift, input=texts, log_evidence=finite), max_size=2).map(tuple),
    rows=st.lists(st.builds(CauseRow, prediction_id=texts, event_time=moments, score=finite), max_size=2).map(tuple),
)


def filled(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a type, records with each of their fields."""
    plain = {str: texts, int: counts, float: finite, datetime: moments}
    if kind in plain:
        return plain[kind]
    if isinstance(kind, type) and is_dataclass(kind):
        return record(kind)
    if get_origin(kind) is tuple:
        first, *more = get_args(kind)
        if more == [...]:
            return st.lists(filled(first), max_size=2).map(tuple)
        return st.tuples(*map(filled, get_args(kind)))
    if isinstance(kind, UnionType):
        return st.one_of(*map(filled, get_args(kind)))
    return st.from_type(kind)


@st.composite
def record(draw: st.DrawFn, kind: Any) -> Any:
    """A record of a type; the strategies of its fields are no part of the representation, which would be long."""
    hints = get_type_hints(kind)
    return draw(st.builds(kind, **{field.name: filled(hints[field.name]) for field in fields(kind)}))


incidents = st.builds(
    IncidentRecord,
    number=st.integers(1, 3),
    level=levels,
    state=st.sampled_from(get_args(IncidentState)),
    opened_at=moments,
    window_start=moments,
    window_end=moments,
    watch=texts,
    slice=texts,
    diagnoses=st.lists(filled(Diagnosis), max_size=2).map(tuple),
    recovery=texts,
    acknowledged_at=st.none() | moments,
    closed_at=st.none() | moments,
    detail=details,
    # What is stored has a history: an empty one is read as an older store's, from the incident's own times.
    history=st.lists(
        st.builds(IncidentEvent, at=moments, state=st.sampled_from(get_args(IncidentState))), min_size=1, max_size=3
    ).map(tuple),
)


numbers = count()


sensitivities = st.builds(Sensitivity, metric=texts, slice=texts, windows=counts, rise=st.none() | floats)


baselines = st.builds(
    BaselineScore,
    level=levels,
    watch=texts,
    slice=texts,
    mean=floats,
    deviation=floats,
    tolerance=floats,
    windows=counts,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    window=windows,
    memory=st.tuples(
        st.dictionaries(st.sampled_from((*get_args(Level), WITNESS)), texts), st.dictionaries(texts, counts, max_size=3)
    ),
    opened=st.lists(incidents, max_size=2, unique_by=lambda one: one.number),
    sensitivity=st.lists(sensitivities, max_size=2).map(tuple),
    baseline=st.lists(baselines, max_size=2).map(tuple),
)
def test_all_records_come_back_the_same(
    store: Store,
    deployment_record: DeploymentRecord,
    window: WindowRecord,
    memory: tuple[dict[StateName, str], dict[str, int]],
    opened: list[IncidentRecord],
    sensitivity: tuple[Sensitivity, ...],
    baseline: tuple[BaselineScore, ...],
) -> None:
    states, cursor = memory
    number = next(numbers)
    deployment = store.find_or_create(replace(deployment_record, name=str(number), settings_digest=str(number)))
    store.commit_window(deployment, window, states=states, label_cursor=cursor, incidents=opened)
    store.deployments.save_sensitivity(deployment, sensitivity)
    store.deployments.save_baseline(deployment, baseline)
    last = store.windows.last(deployment)
    assert last is not None
    # A float's repr tells it apart from every other, and -0.0 from 0.0.
    assert repr(last.record) == repr(window)
    assert last.label_cursor == cursor
    assert [repr(one) for one in store.windows.read(deployment)] == [repr(window)]
    assert store.deployments.states(deployment) == states
    assert store.incidents.read(deployment) == tuple(sorted(opened, key=lambda one: one.number))
    assert [repr(one) for one in store.deployments.sensitivity(deployment)] == [repr(one) for one in sensitivity]
    assert [repr(one) for one in store.deployments.baseline(deployment)] == [repr(one) for one in baseline]


def test_the_last_requests_are_kept_the_newest_first(
    store: Store, deployment: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT", 3)
    requests = [AddedLabels(at=APRIL + timedelta(hours=hour), by="ada", labels=hour) for hour in range(5)]
    for one in requests:
        store.added_labels.add(deployment, one)
    assert store.added_labels.latest(deployment) == tuple(requests[:1:-1])
    assert store.added_labels.latest(deployment, latest=1) == tuple(requests[-1:])
    assert store.added_labels.latest(deployment + 1) == ()


NOW = datetime(2013, 4, 2, 6, tzinfo=UTC)


class Calls:
    """What a lease asked of the store, in order."""

    def __init__(self) -> None:
        self.made: list[object] = []

    def lease(self) -> Lease:
        return Lease(owner="one", renewal=self.made.append, ending=lambda: self.made.append("end"))


def test_a_lease_passes_renewals_and_its_end_on() -> None:
    calls = Calls()
    lease = calls.lease()
    lease.renew(NOW)
    lease.release()
    assert (lease.owner, calls.made) == ("one", [NOW, "end"])


def test_a_lease_ends_with_its_block_even_if_that_fails() -> None:
    calls = Calls()
    with pytest.raises(ZeroDivisionError), calls.lease():
        raise ZeroDivisionError
    assert calls.made == ["end"]


def attempt(day: int, at: datetime) -> WindowAttempt:
    start = APRIL + timedelta(days=day)
    return WindowAttempt(start=start, end=start + timedelta(days=1), attempts=1, started_at=at)


def test_attempts_are_counted_and_the_last_one_says_how_it_ended(store: Store, deployment: int) -> None:
    noon = APRIL + timedelta(days=9, hours=12)
    first, second = attempt(0, noon), attempt(1, noon)
    store.attempts.begin(deployment, first, checkpoint=False)
    assert store.attempts.read(deployment) == (first,)  # as one that was killed stays
    store.attempts.begin(deployment, attempt(0, noon + timedelta(hours=1)), checkpoint=False)
    store.attempts.end(deployment, first.start, at=noon + timedelta(hours=2), error="x" * 2 * LONGEST_ERROR)
    (failed,) = store.attempts.read(deployment)
    assert (failed.attempts, failed.started_at, failed.judged_at) == (2, noon + timedelta(hours=1), None)
    assert len(failed.error) == LONGEST_ERROR
    store.attempts.begin(deployment, second, checkpoint=False)
    store.attempts.end(deployment, second.start, at=noon)
    (judged,) = store.attempts.read(deployment, since=second.start)
    assert (judged.attempts, judged.judged_at, judged.error) == (1, noon, "")


def test_an_attempt_ends_with_the_window_that_it_commits(store: Store, deployment: int, window: MakeWindow) -> None:
    noon = APRIL + timedelta(days=9, hours=12)
    store.attempts.begin(deployment, attempt(0, noon), checkpoint=False)
    end = WindowEnd(judged_at=noon)
    naive = replace(window(0), page_log_evidence=float("nan"))
    with pytest.raises(ValueError, match="NaN"):
        store.commit_window(deployment, naive, states={}, label_cursor={}, incidents=(), end=end)
    assert [one.judged_at for one in store.attempts.read(deployment)] == [None]
    store.commit_window(deployment, window(0), states={}, label_cursor={}, incidents=(), end=end)
    assert [one.judged_at for one in store.attempts.read(deployment)] == [noon]


def test_an_error_of_the_database_is_ours_and_changes_nothing(
    tmp_path: Path, url: str, deployment_record: DeploymentRecord
) -> None:
    with Store.open(url + "?timeout=0.01") as store, closing(sqlite3.connect(tmp_path / "pitfalls.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CannotRun, match=r"database is locked.*Nothing was changed"):
            store.find_or_create(deployment_record)
        other.rollback()
        assert store.deployments.all() == ()


def test_a_deployment_that_is_not_there_is_not_written_to(url: str) -> None:
    with Store.open(url) as store, pytest.raises(BadInput, match="No such deployment"):
        store.leases.release(7)


def test_old_windows_lose_their_details_but_not_those_of_an_incident(
    store: Store, deployment: int, window: Callable[..., WindowRecord], incident: IncidentRecord
) -> None:
    for day in range(12):
        opened: tuple[IncidentRecord, ...] = ()
        if day == 6:
            begin = APRIL + timedelta(days=day)
            end = begin + timedelta(days=1)
            closed = begin + timedelta(days=2)
            opened = (replace(incident, window_start=begin, window_end=end, opened_at=end, closed_at=closed),)
        found = replace(window(day), findings=(Finding(kind="unseen values", feature="x", message="One."),))
        store.commit_window(deployment, found, states={}, label_cursor={}, incidents=opened)
    before = store.windows.read(deployment)
    assert store.windows.forget_details(deployment, APRIL + timedelta(days=10), around=2) == 3
    after = store.windows.read(deployment)
    assert [bool(one.scores) for one in after] == [*[False] * 3, *[True] * 9]
    assert [bool(one.findings) for one in after] == [bool(one.scores) for one in after]
    assert [replace(one, scores=(), findings=()) for one in after] == [
        replace(one, scores=(), findings=()) for one in before
    ]
    assert store.windows.forget_details(deployment, APRIL + timedelta(days=10), around=2) == 0
