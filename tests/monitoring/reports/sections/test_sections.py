from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from monitoring.records import ActionKind, Finding, IncidentAction, MonitorStatus
from monitoring.reports.sections.formatting import format_evidence, format_window
from monitoring.reports.sections.incidents import action_text, pages_of, remarks
from monitoring.reports.sections.tables import finding_groups, label_delay_sentence
from monitoring.watches.label_delays import delay_counts


def with_findings(status: MonitorStatus, *found: tuple[Finding, ...]) -> MonitorStatus:
    windows = tuple(replace(window, findings=each) for window, each in zip(status.windows, found, strict=False))
    return replace(status, windows=windows)


def test_facts_come_first_then_what_most_windows_had(status: MonitorStatus) -> None:
    groups = finding_groups(status)
    assert [(group.kind, group.fact, group.windows) for group in groups] == [
        ("column missing", True, 1),
        ("unexpected values", False, 12),
    ]
    assert (groups[1].first_start, groups[1].last_end) == (status.windows[40].start, status.windows[51].end)


def test_a_kind_that_one_window_has_twice_counts_once_with_its_last_message(status: MonitorStatus) -> None:
    twice = tuple(Finding(kind="late rows", feature="", message=text) for text in ("one", "two"))
    (group,) = finding_groups(with_findings(status, twice))
    assert (group.windows, group.message) == (1, "two")


def test_a_group_is_a_fact_if_any_of_its_findings_is(status: MonitorStatus) -> None:
    fact = Finding(kind="column gone", feature="x", message="gone", fact=True)
    (group,) = finding_groups(with_findings(status, (fact,), (replace(fact, fact=False),)))
    assert (group.fact, group.windows) == (True, 2)


def test_features_are_kept_apart(status: MonitorStatus) -> None:
    found = tuple(Finding(kind="column gone", feature=name, message="gone") for name in "ba")
    assert [group.feature for group in finding_groups(with_findings(status, found))] == ["a", "b"]


@pytest.mark.parametrize(
    ("log_evidence", "words"),
    [(9.21034, "10,000"), (23.02585, "1.0 \N{MULTIPLICATION SIGN} 10¹⁰"), (1e4, "8.8 \N{MULTIPLICATION SIGN} 10⁴³⁴²")],
)
def test_large_evidence(log_evidence: float, words: str) -> None:
    assert format_evidence(log_evidence) == words


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ((2013, 3, 10, 5), (2013, 3, 11, 4), "10 Mar 2013"),  # 23 hours: the clocks went forward
        ((2013, 4, 1, 4), (2013, 4, 8, 4), "1 Apr 2013 \N{EN DASH} 7 Apr 2013"),
        ((2013, 4, 1, 10), (2013, 4, 1, 16), "1 Apr 2013 06:00\N{EN DASH}12:00"),
        ((2013, 4, 1, 22), (2013, 4, 2, 4), "1 Apr 2013 18:00 \N{EN DASH} 2 Apr 2013"),
    ],
)
def test_windows_are_shown_in_the_deployments_zone(
    start: tuple[int, int, int, int], end: tuple[int, int, int, int], words: str
) -> None:
    first, last = datetime(*start, tzinfo=UTC), datetime(*end, tzinfo=UTC)
    assert format_window(first, last, ZoneInfo("America/New_York")) == words


def test_pages_are_in_the_order_of_their_windows(status: MonitorStatus) -> None:
    turned = replace(status, incidents=status.incidents[::-1])
    assert [page.number for page in pages_of(turned)] == [1, 3]


def test_actions_are_told_in_words() -> None:
    noon, utc = datetime(2013, 4, 1, 12, tzinfo=UTC), ZoneInfo("UTC")

    def told(kind: ActionKind, **more: Any) -> str:
        return action_text(IncidentAction(at=noon, by="operator", kind=kind, **more), utc)

    assert told("acknowledge") == "acknowledged"
    assert told("snooze", until_worse=True) == "snoozed until worse"
    assert told("snooze", until=noon) == "snooze ended"
    assert told("assign", text="team flights") == "assigned to team flights"
    assert told("assign") == "assigned to nobody"
    assert told("close", text="mended\nby the feed") == "closed: mended by the feed"


def test_remarks_are_those_of_the_time(status: MonitorStatus) -> None:
    noon, utc = datetime(2013, 4, 1, 12, tzinfo=UTC), ZoneInfo("UTC")
    one = replace(status.incidents[0], state="recovering", acknowledged_at=noon, snoozed_until=noon)
    assert remarks(one, noon, utc) == ("acknowledged",)
    assert remarks(one, noon - timedelta(hours=1), utc) == ("acknowledged", "snoozed until 1 Apr 2013 12:00")
    assert remarks(one, None, utc) == ("acknowledged",)


HOUR_US = 3_600_000_000


def with_delays(status: MonitorStatus, hours: list[int]) -> MonitorStatus:
    arrived = np.asarray(hours, np.int64) * HOUR_US
    counts = delay_counts(np.zeros(len(hours), np.int64), arrived) if hours else ()
    return replace(status, windows=(replace(status.windows[0], label_delays=counts),))


@pytest.mark.parametrize(
    ("hours", "sentence"),
    [
        ([], ""),
        ([0, 0, 0], ""),
        ([1] * 10, "Of the labels that arrived, half arrived within 1 h, 90 % within 1 h."),
        ([1] * 8 + [100 * 24] * 2, "Of the labels that arrived, half arrived within 1 h."),
        ([100 * 24] * 10, "Most labels took longer than 90 days."),
    ],
)
def test_the_median_and_the_ninth_decile_are_named(status: MonitorStatus, hours: list[int], sentence: str) -> None:
    assert label_delay_sentence(with_delays(status, hours)) == sentence
