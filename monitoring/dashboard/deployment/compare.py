"""The page that compares two windows, or a window with the baseline."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from monitoring.dashboard.stores.stores import StoredDeployment, existing
from monitoring.dashboard.view.charts import window_address
from monitoring.dashboard.view.requests import WINDOWS_SHOWN
from monitoring.dashboard.view.table import Cell, TableView, cell
from monitoring.dashboard.view.words import name_of, zone_words
from monitoring.evidence.budget import finite_evidence
from monitoring.records import BaselineScore, WatchKey, WindowRecord
from monitoring.reports.sections.formatting import format_evidence, window_name
from monitoring.reports.sections.inputs import effect_of
from monitoring.sentences.finding_text import finding_text
from monitoring.store.overview import DeploymentSummary
from monitoring.watches.descriptions import (
    LONGEST_MESSAGE,
    NOTHING,
    format_change,
    format_value,
    printable,
    slice_title,
    watch_title,
)

#: What stands for the baseline in the place of a window.
BASELINE: Final = "baseline"

#: Scores of a watch on a slice: value and log evidence.
_Scores = Mapping[WatchKey, tuple[float | None, float | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedSide:
    """What is compared: a window, or the baseline."""

    key: str
    title: str
    window: WindowRecord | None

    @classmethod
    def of(cls, window: WindowRecord | None, zone: ZoneInfo) -> ComparedSide:
        """The side of a window, or of the baseline."""
        if window is None:
            return cls(key=BASELINE, title="Baseline", window=None)
        return cls(key=window_key(window.start), title=window_name(window, zone), window=window)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareView:
    """Everything that the page shows; `choices` has the windows that can be chosen, by their key, newest first."""

    address: str
    parent: str
    name: str
    a: ComparedSide
    b: ComparedSide
    a_href: str
    b_href: str
    choices: tuple[tuple[str, str], ...]
    counted: TableView | None
    scores: TableView
    findings: TableView
    timezone: str

    @property
    def tables(self) -> tuple[TableView, ...]:
        """Every table of the page."""
        return (*(() if self.counted is None else (self.counted,)), self.scores, self.findings)


def window_key(start: datetime) -> str:
    """When a window begins, as addresses have it."""
    return window_address(start, "").rpartition("/")[2]


def read_compare(deployment: StoredDeployment, a: datetime | str, b: datetime | str) -> CompareView:
    """The view that compares two windows, or a window with the baseline.

    Args:
        a: When a window begins, `BASELINE`, or empty for the last window.
        b: The same of what it is compared with; empty for the baseline.
    """
    store, number = deployment.store, deployment.number
    recent = store.windows.recent(number, latest=WINDOWS_SHOWN)
    latest = recent[-1].start if recent else BASELINE
    first, second = (
        ComparedSide.of(
            None if isinstance(side, str) else existing("window", store.windows.at(number, side), side.isoformat()),
            deployment.summary.zone,
        )
        for side in (a or latest, b or BASELINE)
    )
    return compare_view(
        (first, second), deployment.summary, store.deployments.baseline(number), recent, deployment.address
    )


def compare_view(
    sides: tuple[ComparedSide, ComparedSide],
    summary: DeploymentSummary,
    baseline: Sequence[BaselineScore],
    recent: Sequence[WindowRecord],
    parent: str,
) -> CompareView:
    """The page that compares two sides. `sides`: the two; the second one is what the first is compared with."""
    zone = summary.zone
    a, b = sides
    titles = {side.key: side.title for side in sides}
    for window in recent:
        side = ComparedSide.of(window, zone)
        titles[side.key] = side.title
    titles.pop(BASELINE, None)
    a_href, b_href = ("" if side.window is None else window_address(side.window.start, parent) for side in sides)
    return CompareView(
        address=f"{parent}/compare",
        parent=parent,
        name=printable(name_of(summary)),
        a=a,
        b=b,
        a_href=a_href,
        b_href=b_href,
        choices=((BASELINE, "Baseline"), *sorted(titles.items(), reverse=True)),
        counted=_counted(a, b),
        scores=_scores(sides, baseline),
        findings=_findings(sides),
        timezone=zone_words(summary),
    )


def _counted(a: ComparedSide, b: ComparedSide) -> TableView | None:
    windows = [side.window for side in (a, b) if side.window is not None]
    if not windows:
        return None
    what = (
        ("Rows", "rows"),
        ("Rows answered but not seen", "unseen"),
        ("Duplicate rows, dropped", "repeats"),
        ("Labels", "labels"),
        ("Labels due", "labels_due"),
        ("Labels of unknown predictions", "labels_unknown"),
        ("Labels that contradict an earlier one", "labels_conflicting"),
    )
    rows = [(cell(name), *(_count(side, field) for side in (a, b))) for name, field in what]
    for name, field in (("Page evidence", "page_log_evidence"), ("Notice evidence", "notice_log_evidence")):
        rows.append((cell(name), *(_evidence(side, field) for side in (a, b))))
    return TableView(
        name="counted", title="Counted", columns=("What", *_titles(a, b)), rows=tuple(rows), numeric=frozenset({1, 2})
    )


def _titles(a: ComparedSide, b: ComparedSide) -> tuple[str, str]:
    return (f"A: {a.title}", f"B: {b.title}")


def _count(side: ComparedSide, field: str) -> Cell:
    if side.window is None:
        return Cell(text=NOTHING)
    number: int = getattr(side.window, field)
    return cell(f"{number:,}", number)


def _evidence(side: ComparedSide, field: str) -> Cell:
    if side.window is None:
        return Cell(text=NOTHING)
    log_evidence: float = getattr(side.window, field)
    return cell(format_evidence(log_evidence), finite_evidence(log_evidence))


def _scores(sides: tuple[ComparedSide, ComparedSide], baseline: Sequence[BaselineScore]) -> TableView:
    """Every watch that either side has a score of, the largest difference first."""
    baseline_scores = {WatchKey(watch=score.watch, slice=score.slice): score for score in baseline}
    a, b = (_of_side(side, baseline) for side in sides)
    rows = [_row(key, a.get(key), b.get(key), baseline_scores.get(key)) for key in {**a, **b}]
    rows.sort(key=lambda row: (-row[0], row[1]))
    return TableView(
        name="scores",
        title="Scores",
        columns=("Watch", "Slice", "A", "B", "A \N{MINUS SIGN} B", "Effect", "Evidence A", "Evidence B"),
        rows=tuple(row for _, _, row in rows),
        numeric=frozenset(range(2, 8)),
        note="Effect: the difference in standard deviations between the baseline's windows. The largest first.",
    )


def _of_side(side: ComparedSide, baseline: Sequence[BaselineScore]) -> _Scores:
    if side.window is None:
        return {WatchKey(watch=score.watch, slice=score.slice): (score.mean, None) for score in baseline}
    return {
        WatchKey(watch=score.watch, slice=score.slice): (score.value, score.log_evidence)
        for score in side.window.scores
    }


def _row(
    key: WatchKey,
    a: tuple[float | None, float | None] | None,
    b: tuple[float | None, float | None] | None,
    baseline: BaselineScore | None,
) -> tuple[float, str, tuple[Cell, ...]]:
    """A watch on both sides, with what orders it: the size of the difference, and its name."""
    (value_a, evidence_a), (value_b, evidence_b) = a or (None, None), b or (None, None)
    change = None if value_a is None or value_b is None else value_a - value_b
    effect = None if change is None or baseline is None else effect_of(baseline.mean + change, baseline)
    cells = (
        cell(watch_title(key.watch), key.watch, style="text"),
        cell(slice_title(key.slice), key.slice, style="text"),
        Cell(text=format_value(key.watch, value_a), value=value_a),
        Cell(text=format_value(key.watch, value_b), value=value_b),
        Cell(text=NOTHING if change is None else format_change(key.watch, change), value=change),
        Cell(text=NOTHING if effect is None else f"{effect:,.1f}", value=effect),
        *(
            Cell(
                text=NOTHING if evidence is None else format_evidence(evidence),
                value=None if evidence is None else finite_evidence(evidence),
            )
            for evidence in (evidence_a, evidence_b)
        ),
    )
    return (-math.inf if effect is None else effect, str(key), cells)


def _findings(sides: tuple[ComparedSide, ComparedSide]) -> TableView:
    return TableView(
        name="findings",
        title="Findings",
        columns=("In", "Kind", "Feature", "Finding"),
        rows=tuple(
            (
                cell(letter),
                cell(
                    printable(finding.kind) + (" (pages)" if finding.fact else ""), style="page" if finding.fact else ""
                ),
                cell(printable(finding.feature), style="text"),
                cell(printable(finding_text(finding), LONGEST_MESSAGE), style="text"),
            )
            for letter, side in zip("AB", sides, strict=True)
            for finding in (side.window.findings if side.window is not None else ())
        ),
    )
