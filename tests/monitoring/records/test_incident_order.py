from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from monitoring.incidents.cause import explain
from monitoring.incidents.harm import PAGE
from monitoring.incidents.life_cycle import new_incident
from monitoring.judging import in_sample
from monitoring.judging.facts import constant_values, gross_failures, label_facts, log_facts, loss_outliers
from monitoring.judging.facts import traffic_volume as volume
from monitoring.judging.window import label_findings
from monitoring.records import FACT_WATCH, LABELS_STOPPED, NO_ANSWERS, SUBGROUP_WATCH, IncidentRecord
from monitoring.records.incident_order import by_cause, part_of, part_of_fact
from monitoring.traffic.windows import Window
from tests.incident_words import worded
from tests.monitoring.incidents.alarms import alarm, windows

NOW = datetime(2013, 4, 20, tzinfo=UTC)


def of_fact(number: int, kind: str, **more: object) -> IncidentRecord:
    start = NOW - timedelta(days=1)
    record = IncidentRecord(
        number=number,
        level="page",
        state="open",
        opened_at=NOW,
        window_start=start,
        window_end=NOW,
        watch=FACT_WATCH,
        slice="x",
        diagnoses=worded(kind, watch=FACT_WATCH, slice_="x"),
    )
    return replace(record, **more)  # type: ignore[arg-type]  # the caller names the fields


def of_alarm(watch: str) -> IncidentRecord:
    found = windows(**{watch.replace(":", "__"): [0.3] * 5})
    return new_incident(
        explain(alarm(watch, found)), PAGE, Window(start=NOW, end=NOW + timedelta(days=1)), recovery="", number=1
    )


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        (volume.KIND, "feed"),
        (volume.LASTING, "feed"),
        (volume.FEWER_LABELS, "labels"),
        (log_facts.WITHOUT_PREDICTIONS, "feed"),
        (log_facts.REPEATED, "feed"),
        (label_findings.UNKNOWN_LABELS, "labels"),
        (label_findings.TOO_LATE, "labels"),
        (label_facts.LOST_CLASS, "labels"),
        (label_facts.JUMPED, "labels"),
        (constant_values.CONSTANT_LABELS, "labels"),
        (constant_values.CONSTANT_ANSWERS, "answers"),
        (LABELS_STOPPED, "labels"),
        (NO_ANSWERS, "answers"),
        ("unusable answers", "answers"),
        (gross_failures.CONTRADICTED, "losses"),
        (loss_outliers.OUTLIER, "losses"),
        (in_sample.IMPROVED, "losses"),
        (gross_failures.MISSING, "input"),
        ("column gone", "input"),
    ],
)
def test_a_fact_is_about_what_its_kind_says(kind: str, part: str) -> None:
    assert part_of_fact(kind) == part
    assert part_of(of_fact(1, kind)) == part


@pytest.mark.parametrize(
    ("watch", "part"),
    [
        ("missing:z", "input"),
        ("unusable_answers", "answers"),
        ("brier", "losses"),
        ("calibration_slope", "losses"),
        ("joint", "drift"),
        ("input:x:location", "drift"),
    ],
)
def test_an_alarm_is_about_what_its_watch_is(watch: str, part: str) -> None:
    assert part_of(of_alarm(watch)) == part


def test_an_alarm_of_an_earlier_store_is_of_losses_where_it_is_a_page() -> None:
    legacy = of_fact(1, "It rose", watch="error")
    assert [part_of(replace(legacy, level=level)) for level in ("page", "notice")] == ["losses", "drift"]
    assert part_of(replace(legacy, watch=SUBGROUP_WATCH)) == "losses"


def test_what_is_open_unseen_and_a_cause_comes_first_in_whatever_order_it_is_read() -> None:
    earlier = NOW - timedelta(days=3)
    ordered = (
        of_fact(4, "column gone"),
        of_fact(2, "column gone", window_start=earlier),
        of_fact(5, "traffic volume"),
        of_fact(6, "unusable answers", consequence_of=4),
        of_fact(1, "out of range", acknowledged_at=NOW),
        of_fact(3, "column gone", level="notice"),
        of_fact(9, "traffic volume", state="closed"),
        of_fact(8, "column gone", state="closed", window_start=earlier),
    )
    for some in permutations(ordered, 3):
        assert by_cause(some) == tuple(sorted(some, key=ordered.index))
    assert by_cause(reversed(ordered)) == ordered


def test_a_snoozed_page_comes_after_the_others_while_the_time_is_known() -> None:
    snoozed, other = of_fact(1, "column gone", snoozed_until=NOW + timedelta(hours=1)), of_fact(2, "traffic volume")
    assert by_cause((snoozed, other), NOW) == (other, snoozed)
    assert by_cause((snoozed, other)) == by_cause((snoozed, other), NOW + timedelta(hours=2)) == (snoozed, other)


def test_what_an_input_did_by_itself_stands_before_joint_drift_that_is_newer() -> None:
    own = of_alarm("input:x:location")
    joint = replace(of_alarm("joint"), number=2, level=own.level, window_start=own.window_start + timedelta(days=1))
    assert [one.number for one in by_cause((joint, own))] == [1, 2]
