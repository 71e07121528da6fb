from __future__ import annotations

from dataclasses import replace

from monitoring.records import Finding, MonitorStatus
from monitoring.reports.sections.findings import finding_groups


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
