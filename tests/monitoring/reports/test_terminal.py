from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from rich.console import Console

from monitoring.records import MonitorStatus
from monitoring.records.incident_order import by_cause
from monitoring.reports import render
from monitoring.reports.sections.tables import finding_groups


def printed(status: MonitorStatus, *, width: int = 80) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None, force_terminal=False).print(render(status))
    return stream.getvalue()


def test_everything_that_matters_fits_in_eighty_columns_without_colour(status: MonitorStatus) -> None:
    text = printed(status)
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "\x1b" not in text
    words = " ".join(text.split())
    assert "flights version 1" in words
    assert "2 pages in 275 windows, 1 still open" in words
    assert (
        "Page #3, opened 8 Dec 2013 06:00 for the window 7 Dec 2013: Brier score at origin = EWR: the traffic is harder"
        in words
    )
    assert "False-alarm budget: pages at most 1 per 365 windows" in words
    assert "Labels: 241,150 of 248,875 predictions" in words
    assert "Of the labels that arrived, half arrived within 18 h, 90 % within 2 days." in words
    assert "Error rate +16.1 points +8.1 points not within 90" in words


def test_months_are_bars_and_an_alarm_is_a_full_one(status: MonitorStatus) -> None:
    lines = printed(status).splitlines()
    place = next(number for number, line in enumerate(lines) if "How sure, by month" in line)
    bars = lines[place].removeprefix("How sure, by month      ").split("  ")[0].split(" ")
    assert bars == ["█", "█", "█", "█", "█", "█", "▁", "▂", "█"]
    assert lines[place + 1].split() == ["A", "M", "J", "J", "A", "S", "O", "N", "D"]


def test_incidents_are_a_table(status: MonitorStatus) -> None:
    lines = [line.split() for line in printed(status).splitlines()]
    incidents = [words[:2] for words in lines if words[1:2] in (["page"], ["notice"]) and words[0].isdigit()]
    assert incidents == [[str(one.number), one.level] for one in by_cause(status.incidents)]


def test_incidents_say_what_people_did(status: MonitorStatus) -> None:
    now = status.windows[-1].end
    page = replace(
        status.incidents[0],
        state="open",
        closed_at=None,
        snoozed_until=now + timedelta(days=1),
        owner="team flights",
        previous=7,
    )
    text = printed(replace(status, incidents=(page,), asked_at=now))
    assert ("counted anew" in text) == (status.windows[-1].page_log_evidence < math.log(status.page_threshold))
    assert max(len(line) for line in text.splitlines()) <= 80
    for words in ("snoozed until 2 Jan", "owner team flights", "came back, see #7"):
        assert words in text


def test_text_from_traffic_is_neither_markup_nor_escape_code(status_of: Callable[..., MonitorStatus]) -> None:
    text = printed(status_of(label="[red]EWR[/red]\x1b[2J", model="[bold]m"))
    assert "[red]EWR[/red]" in " ".join(text.split())
    assert "[bold]m version 1" in text
    assert "\x1b" not in text


def test_few_or_no_windows(status_of: Callable[..., MonitorStatus]) -> None:
    assert "Healthy: no page in 20 windows" in printed(status_of(windows=20, incidents=False))
    assert "No window judged yet" in printed(status_of(windows=0, incidents=False))


def test_narrow_terminals_lose_no_incident(status: MonitorStatus) -> None:
    text = printed(status, width=50)
    assert max(len(line) for line in text.splitlines()) <= 50
    assert text.count("notice") >= 1


def test_without_labels_no_loss_was_judged_and_healthy_says_so(status_of: Callable[..., MonitorStatus]) -> None:
    seen = status_of(windows=20, incidents=False)
    silent = tuple(replace(window, labels=0, labels_unknown=0) for window in seen.windows)
    blind = replace(seen, windows=silent)
    lost = replace(seen, windows=(replace(silent[0], labels_unknown=1), *silent[1:]))
    assert "Healthy: no page in 20 windows" in printed(seen)
    assert "No page in 20 windows, but no label has arrived" in " ".join(printed(blind).split())
    assert "but the only label is of no known prediction" in " ".join(printed(lost).split())


def test_findings_are_told_with_how_many_windows_had_them(status: MonitorStatus) -> None:
    text = " ".join(printed(status).split())
    groups = finding_groups(status)
    assert groups
    for group in groups[:2]:
        assert " ".join(group.message.split())[:40] in text
    assert "Findings" not in printed(replace(status, windows=tuple(replace(w, findings=()) for w in status.windows)))
