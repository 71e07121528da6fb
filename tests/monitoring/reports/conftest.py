"""A year's state of one deployment, made by arithmetic and one seed: what every report test draws."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from monitoring.records import (
    BaselineScore,
    Coverage,
    Finding,
    IncidentRecord,
    Level,
    MonitorStatus,
    ScoreRecord,
    Sensitivity,
    WindowRecord,
    WindowStatus,
)
from monitoring.reports.sections.benchmark import Benchmark, BenchmarkMetric, Interval
from monitoring.watches.label_delays import delay_counts
from tests.incident_words import worded

FIRST = date(2013, 4, 1)
HOUR_US = 3_600_000_000
AIRPORTS = {"origin=EWR": 0.012, "origin=JFK": -0.008, "origin=LGA": -0.004}

#: Brier score by month: what was measured on the flights, from April to December.
MONTHLY = {4: 0.190, 5: 0.168, 6: 0.205, 7: 0.208, 8: 0.172, 9: 0.120, 10: 0.135, 11: 0.128, 12: 0.205}

FIRST_PAGE, FIRST_CLOSED = 22, 155
SECOND_PAGE = 250


def moment(window: int, hours: int = 0) -> datetime:
    """Start of a window, in days counted from the first."""
    return datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) + timedelta(days=window, hours=hours)


def _page_log_evidence(window: int) -> float:
    if window < 3:
        return -math.inf
    if window <= FIRST_PAGE:
        return math.log(0.4) + (math.log(450) - math.log(0.4)) * ((window - 3) / (FIRST_PAGE - 3)) ** 2
    if window < FIRST_CLOSED:
        return math.log(450) + 0.6 * (min(window, 110) - FIRST_PAGE)
    if window <= SECOND_PAGE - 12:
        return math.log(0.8) + 0.7 * math.sin(window / 5)
    if window <= SECOND_PAGE:
        grown = math.sqrt((window - SECOND_PAGE + 12) / 12)
        return math.log(0.8) + (math.log(700) - math.log(0.8)) * grown**3
    return math.log(700) + 0.9 * (window - SECOND_PAGE)


def _scores(window: int, rng: np.random.Generator, label: str) -> tuple[ScoreRecord, ...]:
    month = (FIRST + timedelta(days=window)).month
    weather = float(rng.normal(0.0, 0.035))
    evidence = _page_log_evidence(window)
    brier = MONTHLY[month] + weather
    records: list[tuple[Level, str, str, float, float]] = [
        ("page", "brier", "", brier, evidence - 0.4),
        ("page", "error", "", 1.3 * brier + 0.01, evidence - 1.0),
        ("page", "surprise_brier", "", brier - 0.146 - 0.6 * weather, evidence),
        ("page", "surprise_error", "", 1.2 * (brier - 0.146), evidence - 0.7),
        ("page", "missing:temp", "", 0.0, -2.0),
        ("page", "unseen:carrier", "", 0.0, -2.0),
        ("notice", "output:late", "", 0.21 + 0.3 * weather, 0.3),
        ("notice", "input:temp:location", "", min(0.99, 0.5 + window / 350), min(3.0, window / 10)),
        ("notice", f"input:carrier={label}", "", 0.17, -0.4),
    ]
    for name, difference in AIRPORTS.items():
        part = label if name == "origin=EWR" and label != "UA" else name
        records.append(("page", "brier", part, brier + difference + float(rng.normal(0, 0.01)), evidence - 1.0))
        records.append(("page", "error", part, 1.3 * (brier + difference) + 0.01, evidence - 1.5))
    return tuple(
        ScoreRecord(level=level, watch=watch, slice=part, rows=300 if part else 880, value=value, log_evidence=log)
        for level, watch, part, value, log in records
    )


def _window(window: int, rng: np.random.Generator, label: str) -> WindowRecord:
    thin = window == 100
    status: WindowStatus = "ok"
    if FIRST_PAGE <= window < FIRST_CLOSED or window >= SECOND_PAGE:
        status = "page"
    elif window > 30:
        status = "notice"
    findings = []
    if 40 <= window < 52:
        findings.append(
            Finding(kind="unexpected values", feature="carrier", message=f"1 value not in the domain: {label}")
        )
    if window == 60:
        findings.append(Finding(kind="column missing", feature="visib", message="visib was absent", fact=True))
    return WindowRecord(
        start=moment(window),
        end=moment(window + 1),
        rows=40 if thin else 920,
        labels=30 if thin else 880,
        labels_due=905,
        label_delays=delay_counts(np.zeros(30, np.int64), np.arange(30) * (HOUR_US if window < 240 else 4 * HOUR_US)),
        labels_unknown=1 if window == 5 else 0,
        repeats=2 if window % 50 == 0 else 0,
        status="thin" if thin else status,
        page_log_evidence=_page_log_evidence(window),
        notice_log_evidence=-math.inf if window < 2 else min(4.5, -1 + window / 8 + 0.5 * math.sin(window)),
        findings=tuple(findings),
        scores=() if thin else _scores(window, rng, label),
    )


def make_incidents(part: str = "") -> tuple[IncidentRecord, ...]:
    """Two pages, the first closed and the second open, and a notice between them."""
    return (
        IncidentRecord(
            number=1,
            level="page",
            state="closed",
            opened_at=moment(FIRST_PAGE + 1, 6),
            window_start=moment(FIRST_PAGE),
            window_end=moment(FIRST_PAGE + 1),
            watch="surprise_brier",
            slice=part,
            diagnoses=worded(
                "the model is overconfident (surprise +0.063)",
                "Brier score above expectation averaged +0.063 over 12 windows since 12 April 2013; baseline +0.001 "
                "(standard deviation between windows 0.036, tolerance 0.020). The expected Brier score fell by 0.019 "
                "and the realised one rose by 0.044, so surprise (realised minus expected loss, a calibration gap) "
                "rose by 0.063: the model is overconfident. The page evidence is 450 (threshold 365), and this watch "
                "contributes 41 % of it. Inputs that drifted, each with evidence of 30 or more: temp, humid, visib.",
            ),
            closed_at=moment(FIRST_CLOSED, 6),
        ),
        IncidentRecord(
            number=2,
            level="notice",
            state="open",
            opened_at=moment(37, 6),
            window_start=moment(36),
            window_end=moment(37),
            watch="input:temp:location",
            slice="",
            diagnoses=worded(
                "mean quantile of temp rose from 0.500 to 0.640",
                "Mean quantile of temp averaged 0.640 over 9 windows since 29 April 2013; baseline 0.500.",
            ),
        ),
        IncidentRecord(
            number=3,
            level="page",
            state="open",
            opened_at=moment(SECOND_PAGE + 1, 6),
            window_start=moment(SECOND_PAGE),
            window_end=moment(SECOND_PAGE + 1),
            watch="brier",
            slice="origin=EWR",
            diagnoses=worded(
                "the traffic is harder (expected loss +0.050)",
                "Brier score at origin=EWR averaged 0.231 over 10 windows since 28 November 2013.",
            ),
        ),
    )


def make_status(
    *, windows: int = 275, incidents: bool = True, label: str = "UA", model: str = "flights"
) -> MonitorStatus:
    """The state after so many daily windows from 1 April 2013; `label` is a value that came from traffic."""
    rng = np.random.default_rng(7)
    records = tuple(_window(window, rng, label) for window in range(windows))
    baseline: list[tuple[Level, str, str, float, float]] = [
        ("page", "brier", "", 0.146, 0.045),
        ("page", "error", "", 0.199, 0.070),
        ("page", "surprise_brier", "", 0.001, 0.036),
        ("page", "surprise_error", "", 0.002, 0.060),
        ("page", "missing:temp", "", 0.0, 0.001),
        ("page", "unseen:carrier", "", 0.0, 0.001),
        ("notice", "output:late", "", 0.214, 0.06),
        ("notice", "input:temp:location", "", 0.5, 0.17),
        ("notice", f"input:carrier={label}", "", 0.172, 0.02),
        *(("page", "brier", part, 0.146 + difference, 0.05) for part, difference in AIRPORTS.items()),
    ]
    rises = {"brier": (0.092, 0.047, 0.031), "error": (0.161, 0.081, None)}
    return MonitorStatus(
        model=model,
        version=1,
        page_budget="1 per 365 windows",
        page_threshold=365.0,
        notice_budget="1 per 30 windows",
        notice_threshold=30.0,
        timezone="UTC",
        windows=records,
        incidents=make_incidents(label if label != "UA" else "") if incidents else (),
        sensitivity=tuple(
            Sensitivity(metric=metric, slice="", windows=horizon, rise=rise)
            for metric, found in rises.items()
            for horizon, rise in zip((7, 30, 90), found, strict=True)
        ),
        coverage=Coverage(
            rows=sum(record.rows for record in records),
            repeats=sum(record.repeats for record in records),
            labels=sum(record.labels for record in records),
            labels_due=sum(record.labels_due for record in records),
            labels_unknown=sum(record.labels_unknown for record in records),
            labels_conflicting=sum(record.labels_conflicting for record in records),
            windows=windows,
            thin_windows=1 if windows > 100 else 0,
            answered=sum(record.rows for record in records) + 1234,
        ),
        baseline=tuple(
            BaselineScore(
                level=level, watch=watch, slice=part, mean=mean, deviation=deviation, tolerance=0.008, windows=90
            )
            for level, watch, part, mean, deviation in baseline
        ),
    )


def make_benchmark() -> Benchmark:
    """What the out-of-fold predictions of January to March promised."""

    def intervals(mean: float, half: float) -> dict[str, Interval]:
        return {
            part: Interval(mean=mean + difference, low=mean + difference - half, high=mean + difference + half)
            for part, difference in AIRPORTS.items()
        }

    return Benchmark(
        metrics=(
            BenchmarkMetric(metric="brier", mean=0.146, low=0.135, high=0.157, by_slice=intervals(0.146, 0.014)),
            BenchmarkMetric(metric="error", mean=0.199, low=0.183, high=0.215, by_slice=intervals(0.199, 0.021)),
        )
    )


@pytest.fixture(scope="session")
def status_of() -> Callable[..., MonitorStatus]:
    """`make_status`."""
    return make_status


@pytest.fixture(scope="session")
def status() -> MonitorStatus:
    """The whole period, with all its incidents."""
    return make_status()


@pytest.fixture(scope="session")
def benchmark() -> Benchmark:
    """`make_benchmark`."""
    return make_benchmark()
