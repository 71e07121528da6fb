from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitoring.records import (
    BaselineScore,
    CauseDetail,
    ColumnNote,
    IncidentRecord,
    InputDrift,
    MonitorStatus,
    ScoreRecord,
    WindowRecord,
)
from monitoring.reports.sections.inputs import (
    ANSWERS,
    JOINT,
    alarms_of,
    effect_of,
    input_series,
    input_title,
    inputs_of,
    series_of,
)
from tests.incident_words import worded

NOW = datetime(2013, 7, 1, tzinfo=UTC)


def known(watch: str, mean: float = 0.5, deviation: float = 0.1, part: str = "") -> BaselineScore:
    return BaselineScore(
        level="notice", watch=watch, slice=part, mean=mean, deviation=deviation, tolerance=0.01, windows=90
    )


def score(watch: str, value: float | None, log_evidence: float = 0.0) -> ScoreRecord:
    return ScoreRecord(level="notice", watch=watch, slice="", rows=9, value=value, log_evidence=log_evidence)


def windows_of(scores: dict[datetime, tuple[ScoreRecord, ...]]) -> list[WindowRecord]:
    return [
        WindowRecord(
            start=start,
            end=start + timedelta(hours=1),
            rows=9,
            labels=9,
            labels_due=9,
            labels_unknown=0,
            repeats=0,
            status="ok",
            page_log_evidence=0.0,
            notice_log_evidence=0.0,
            scores=found,
        )
        for start, found in scores.items()
    ]


@pytest.mark.parametrize(
    ("watch", "key"),
    [
        ("input:temp:location", "input:temp"),
        ("input:a=b:spread", "input:a=b"),
        ("input:a=b=x=y", "input:a=b"),
        ("input:carrier=UA:location", "input:carrier"),
        ("input:carrier=x=y", "input:carrier"),
        ("missing:a=b", "input:a=b"),
        ("unseen:carrier", "input:carrier"),
        ("input:nobody:location", "input:nobody"),
        ("input:nobody=UA", "input:nobody"),
        ("output:late", ANSWERS),
        ("prediction:spread", ANSWERS),
        ("joint", JOINT),
    ],
)
def test_a_watch_belongs_to_its_input(watch: str, key: str) -> None:
    baseline = (known(watch), known("brier"), known("missing:a=b"), known("missing:carrier"), known("missing:temp"))
    assert key in {one.key for one in inputs_of((), baseline) if watch in {each.watch for each in one.watches}}
    assert "brier" not in {each.watch for one in inputs_of((), baseline) for each in one.watches}


def test_inputs_come_by_the_size_of_their_change_the_largest_first(status: MonitorStatus) -> None:
    far = tuple(
        replace(one, mean=one.mean - 5 * one.deviation) if one.watch == "input:temp:location" else one
        for one in status.baseline
    )
    found = inputs_of(status.windows[:7], far)
    assert found[0].key == "input:temp"
    assert found[0].strongest.watch == "input:temp:location"
    assert 4 < found[0].effect < 6
    assert [one.effect for one in found] == sorted((one.effect for one in found), reverse=True)


def test_an_input_without_scores_is_kept_last() -> None:
    (one,) = inputs_of((), (known("missing:temp"), known("missing:temp", part="origin=EWR")))
    assert (one.mean, one.effect, len(one.watches)) == (None, 0.0, 1)


def test_in_each_window_the_watch_that_is_farthest_counts() -> None:
    (one,) = inputs_of((), (known("input:t:location"), known("missing:t", 0.0, 0.0)))
    scores = {
        NOW: (score("input:t:location", 0.7, 1.0), score("missing:t", 0.005, 3.0), score("brier", 9.0, 9.0)),
        NOW.replace(day=12): (score("input:t:location", None), score("missing:t", None)),
        NOW.replace(day=13): (score("input:t:location", 0.5, -math.inf), score("missing:t", 0.02, -2.0)),
    }
    first, last = input_series(one, series_of(windows_of(scores), (one,))).rows()
    assert (first[:3], first[4]) == ((NOW, "input:t:location", 0.7), 3.0)
    assert first[3] == pytest.approx(2.0)
    assert last == (NOW.replace(day=13), "missing:t", 0.02, 2.0, -2.0)
    assert effect_of(0.0, known("missing:t", 0.0, 0.0)) == 0.0


def test_alarms_of_an_input_are_those_it_opened_and_those_that_name_it(status: MonitorStatus) -> None:
    page, notice, _ = status.incidents
    named = replace(page, detail=CauseDetail(inputs=(InputDrift(input="temp", log_evidence=3.0),)))
    temp, carrier = (
        next(one for one in inputs_of((), status.baseline) if one.name == name) for name in ("temp", "carrier")
    )
    assert alarms_of(temp, (page, notice)) == (notice,)
    assert alarms_of(temp, (named, notice)) == (named, notice)
    assert alarms_of(carrier, (named, notice)) == ()


def test_what_has_no_name_is_named_in_no_cause(status: MonitorStatus) -> None:
    incident: IncidentRecord = replace(
        status.incidents[0], detail=CauseDetail(inputs=(InputDrift(input="", log_evidence=3.0),))
    )
    answers = next(one for one in inputs_of((), status.baseline) if one.key == ANSWERS)
    assert answers.name == ""
    assert alarms_of(answers, (incident,)) == ()


def test_a_page_of_missing_values_is_an_alarm_of_each_input_that_it_names(status: MonitorStatus) -> None:
    page = replace(status.incidents[0], watch="schema", slice="temp, wind")
    page = replace(page, diagnoses=worded("column gone", watch="schema", slice_="temp, wind"))
    temp, other = inputs_of((), (known("missing:temp"), known("missing:win")))
    assert alarms_of(temp, (page,)) == (page,)
    assert not alarms_of(other, (page,))


def test_the_seasonality_of_the_value_is_in_the_unit_of_its_distance() -> None:
    monday = replace(known("input:day=monday", 0.14, 0.0005), cycle="week", gain=400.0)
    assert effect_of(1.0, monday) == pytest.approx(4.3)


def test_what_is_no_single_input_has_a_title_too() -> None:
    baseline = (known("missing:temp"), known("output:late"), known("joint"))
    assert {input_title(one) for one in inputs_of((), baseline)} == {"temp", "Predictions", "All inputs together"}


def test_an_input_has_its_unit_and_what_describes_a_column_its_description() -> None:
    baseline = (known("missing:temp"), known("missing:note.words"), known("missing:a.b"), known("missing:a"))
    columns = {
        "temp": ColumnNote(unit="°C", description="of the air"),
        "note": ColumnNote(unit="words", description="what was written"),
        "a": ColumnNote(description="another column"),
    }
    found = {one.name: one for one in inputs_of((), baseline, columns)}
    assert {input_title(one) for one in found.values()} == {"temp [°C]", "note.words", "a.b", "a"}
    descriptions = {name: one.note.description for name, one in found.items()}
    assert descriptions == {"temp": "of the air", "note.words": "what was written", "a.b": "", "a": "another column"}


def test_each_of_several_inputs_has_its_own_windows() -> None:
    baseline = (known("input:t:location"), known("missing:t", 0.0, 0.0), known("input:u:location"), known("missing:u"))
    inputs = inputs_of((), baseline)
    scores = {
        NOW: (score("input:t:location", 0.7, 1.0), score("missing:t", 0.005, 3.0), score("input:u:location", 0.2)),
        NOW.replace(day=12): (score("missing:u", 0.3), score("brier", 9.0)),
    }
    read = series_of(windows_of(scores), inputs)
    found = {one.name: input_series(one, read) for one in inputs}
    assert [row[:3] for row in found["t"].rows()] == [(NOW, "input:t:location", 0.7)]
    assert [row[:3] for row in found["u"].rows()] == [
        (NOW, "input:u:location", 0.2),
        (NOW.replace(day=12), "missing:u", 0.3),
    ]
    assert found["u"].rows(latest=1) == found["u"].rows()[-1:]
    assert len(input_series(inputs[0], series_of((), inputs)).starts) == 0
