"""The schedule of a replay: every row once, in order, and labels after their predictions."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.config.table_section import TableSection
from monitoring.errors import BadInput
from monitoring.onboarding.table_description import described
from pitfalls_tf.replay import ReplayPlan
from pitfalls_tf.replay.plan import label_texts, schedule_replay, zone_remark
from serving.export.export import Reference

START = datetime(2013, 4, 1, tzinfo=UTC)
MINUTES = st.integers(0, 6 * 60)
rows = st.lists(st.tuples(MINUTES, st.none() | MINUTES, st.sampled_from(["late", "on_time", None])), max_size=40)


def plan_of(label: str | None = None, **columns: Any) -> ReplayPlan:
    return ReplayPlan(label=label, columns=described(**columns).traffic)


LABELLED = ReplayPlan(label="late", columns=TableSection(label_time="known"))


def at(minutes: int | None) -> datetime | None:
    return None if minutes is None else START + timedelta(minutes=minutes)


def make_table(drawn: list[tuple[int, int | None, str | None]]) -> pa.Table:
    moment = pa.timestamp("us", "UTC")
    return pa.table(
        {
            "event_time": pa.array([at(event) for event, _, _ in drawn], moment),
            "known": pa.array([at(known) for _, known, _ in drawn], moment),
            "late": pa.array([label for _, _, label in drawn], pa.string()),
            "place": pa.array(range(len(drawn)), pa.int64()),
        }
    )


@given(drawn=rows, most=st.integers(1, 5))
def test_every_row_is_sent_once_in_order_within_one_hour(drawn: list[Any], most: int) -> None:
    schedule = schedule_replay(make_table(drawn), ReplayPlan(rows_per_request=most))
    times = schedule.table.column("event_time").to_pylist()
    by_time_then_place = sorted(range(len(drawn)), key=lambda place: (drawn[place][0], place))
    assert schedule.table.column("place").to_pylist() == by_time_then_place
    assert [row for one in schedule.requests for row in range(one.start, one.stop)] == list(range(len(drawn)))
    for one in schedule.requests:
        assert one.stop - one.start <= most
        assert one.event_time == times[one.start]
        assert {time.replace(minute=0) for time in times[one.start : one.stop]} == {one.event_time.replace(minute=0)}
    assert len({one.request_id for one in schedule.requests}) == len(schedule.requests)


@given(drawn=rows, most=st.integers(1, 5))
def test_a_label_is_posted_after_its_prediction_and_before_the_first_request_at_or_after_its_time(
    drawn: list[Any], most: int
) -> None:
    plan = ReplayPlan(rows_per_request=most, label="late", columns=TableSection(label_time="known"))
    schedule = schedule_replay(make_table(drawn), plan)
    sent = [(index, label) for index, group in enumerate(schedule.labels) for label in group]
    place = schedule.table.column("place").to_pylist()
    expected = {}
    for one in schedule.requests:
        for row in range(one.start, one.stop):
            _, known, label = drawn[place[row]]
            if known is not None and label is not None:
                expected[f"{one.request_id}:{row - one.start}"] = (label, at(known))
    assert {label.prediction_id: (label.label, label.label_time) for _, label in sent} == expected
    assert len(sent) == len(expected)
    for index, label in sent:
        assert index > label.request
        earlier = schedule.requests[label.request + 1 : index]
        assert all(one.event_time < label.label_time for one in earlier), "it is not held back"
        if index < len(schedule.requests) and index > label.request + 1:
            assert schedule.requests[index].event_time >= label.label_time, "it does not come early"
    for group in schedule.labels:
        assert [label.label_time for label in group] == sorted(label.label_time for label in group)


def test_request_ids_have_time_and_number() -> None:
    table = make_table([(61, None, None), (0, None, None), (1, None, None), (1, None, None)])
    requests = schedule_replay(table, ReplayPlan(prefix="nyc", rows_per_request=2)).requests
    assert [one.request_id for one in requests] == [
        "nyc-20130401T000000Z-0",
        "nyc-20130401T000100Z-1",
        "nyc-20130401T010100Z-0",
    ]


def test_an_empty_table_has_an_empty_schedule() -> None:
    schedule = schedule_replay(make_table([]), LABELLED)
    assert (schedule.requests, schedule.labels) == ((), ((),))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"event_time": "when"}, "The table has no column 'when'"),
        ({"event_time": "place"}, "Column 'place' has no times. Got int64"),
        ({"event_time": "known"}, "Column 'known' has rows without a time"),
        ({"label": "truth", "label_time": "known"}, "The table has no column 'truth'"),
        ({"label": "late", "label_time": "late"}, "Column 'late' has no times. Got string: no times, but text"),
        ({"naive_timezone": "Mars/Olympus"}, "unknown time zone"),
    ],
)
def test_a_table_without_the_columns_of_the_plan_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        schedule_replay(make_table([(0, None, "late")]), plan_of(**wrong))


@pytest.mark.parametrize(
    "wrong", [{"rows_per_request": 0}, {"prefix": "two words"}, {"prefix": ""}, {"label": "late"}], ids=str
)
def test_an_invalid_plan_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        ReplayPlan(**wrong)


@pytest.mark.parametrize(
    ("times", "zone", "hour", "remark"),
    [
        (pa.array(["2013-04-01 02:00:00"], pa.string()), "UTC", 2, "have no zone, and are taken as UTC."),
        (pa.array(["2013-04-01T02:00:00Z"], pa.string()), "Europe/Paris", 2, ""),
        (pa.array([datetime(2013, 4, 1, 2)], pa.timestamp("ms")), "Europe/Paris", 0, "taken as Europe/Paris."),  # noqa: DTZ001
        (pa.array([datetime(2013, 4, 1, 2, tzinfo=UTC)], pa.timestamp("us", "UTC")), "Europe/Paris", 2, ""),
        (pa.array([datetime(2013, 4, 1).date()], pa.date32()), "UTC", 0, "are taken as UTC."),  # noqa: DTZ001
    ],
)
def test_times_have_the_zones_that_export_and_monitor_take(times: pa.Array, zone: str, hour: int, remark: str) -> None:
    table, plan = pa.table({"event_time": times}), plan_of(naive_timezone=zone)
    (request,) = schedule_replay(table, plan).requests
    assert request.event_time == datetime(2013, 4, 1, hour, tzinfo=UTC)
    assert zone_remark(table, plan).endswith(remark)
    assert bool(zone_remark(table, plan)) == bool(remark)


TABLE = pa.table(
    {
        "sev": ["low", None, "high"],
        "vehage": [3.0, 4.5, None],
        "both": pa.array([{"sev": "low", "age": 3}, None, {"sev": None, "age": None}]),
        "a": [0, 1, 1],
        "b": [1, 0, 1],
        "x": [0.5, 1.5, 2.5],
        "y": [1.0, 2.0, 3.0],
        "tags": [["p", "q"], [], None],
        "x=y": ["odd", "odd", "odd"],
    }
)


@pytest.mark.parametrize(
    ("label", "texts"),
    [
        ("sev", ["low", None, "high"]),
        ("vehage", ["3", "4.5", None]),
        ("sev=sev,vehage=vehage", [{"sev": "low", "vehage": "3"}, {"vehage": "4.5"}, {"sev": "high"}]),
        ("one=vehage", [{"one": "3"}, {"one": "4.5"}, None]),
        ("both", [{"sev": "low", "age": "3"}, None, None]),
        ("a,b", ["[0,1]", "[1,0]", "[1,1]"]),
        ("x=y", ["odd", "odd", "odd"]),
    ],
)
def test_each_form_is_read(label: str, texts: list[Any]) -> None:
    read = [json.loads(text) if text and text.startswith("{") else text for text in label_texts(TABLE, label)]
    assert read == texts


def test_numbers_of_several_columns_are_those_of_an_export() -> None:
    exported = Reference(table=TABLE, label_columns=("x", "y")).with_lists()
    assert exported.table is not None
    assert label_texts(TABLE, "x,y") == exported.table["label"].to_pylist()


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("none", "The table has no column 'none'"),
        ("sev=none,vehage=vehage", "The table has no such label column.*no column none"),
        ("sev=sev,vehage", "Several outputs with a label each are all named"),
        ("a,none", "The table has no column 'none'"),
        ("maps", r"Column 'maps' has no labels\. Got map<string, int64>"),
    ],
)
def test_what_is_no_label_is_refused(label: str, reason: str) -> None:
    maps = pa.array([[("k", 1)], [], []], pa.map_(pa.string(), pa.int64()))
    with pytest.raises(BadInput, match=reason):
        label_texts(TABLE.append_column("maps", maps), label)
