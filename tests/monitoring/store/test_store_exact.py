"""What goes into the store comes out the same, to the last bit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import get_args

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.records import (
    BaselineScore,
    CauseDetail,
    CauseRow,
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
    WindowRecord,
    WindowStatus,
)
from monitoring.records.state_names import WITNESS, StateName
from monitoring.store import DeploymentRecord, Store

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


floats = st.floats(allow_nan=False)


counts = st.integers(0, 2**62)


levels = st.sampled_from(get_args(Level))


moments = st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001 (bounds are bare)
    datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda moment: moment.replace(fold=0))  # UTC has no hour twice


scores = st.builds(
    ScoreRecord,
    level=levels,
    watch=texts,
    slice=texts,
    rows=counts,
    value=st.none() | floats,
    log_evidence=floats,
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


finite = st.floats(allow_nan=False, allow_infinity=False)


details = st.builds(
    CauseDetail,
    split=st.none() | st.builds(LossSplit, metric=texts, difficulty=finite, surprise=finite),
    parts=st.lists(st.builds(SlicePart, metric=texts, column=texts, slice=texts, mix=finite, loss=finite)).map(tuple),
    inputs=st.lists(st.builds(InputDrift, input=texts, log_evidence=finite), max_size=2).map(tuple),
    rows=st.lists(st.builds(CauseRow, prediction_id=texts, event_time=moments, score=finite), max_size=2).map(tuple),
)


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
    cause=texts,
    message=texts,
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
