"""Confusion matrices, residuals and ranks of relevant ids of live windows against the baseline."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Final, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from monitoring.config import MonitorConfig
from monitoring.config.settings_digest import settings_digest
from monitoring.dashboard.stores.stores import StoredDeployment
from monitoring.dashboard.view.table import Cell, TableView, cell
from monitoring.dashboard.view.words import name_of
from monitoring.deployment.places import find_baseline
from monitoring.errors import PitfallsError
from monitoring.inspection.outcomes import (
    Outcomes,
    decision_rates,
    read_outcomes,
    relevant_ranks,
    residuals,
    shares_of_rows,
)
from monitoring.records import WindowRecord
from monitoring.reports.sections.formatting import format_count
from monitoring.tasks.ranking import Ranking
from monitoring.tasks.registry import ranking_of
from monitoring.tasks.task import Floats
from monitoring.watches.descriptions import NOTHING, lower_first, plain_number, printable, slice_title

#: Classes of a matrix, at most: those whose rows have changed most.
MOST_CLASSES = 12

#: Cells of the table behind a matrix, at most: those with most rows.
MOST_CELLS = 1_000

#: Quantiles of residuals that are shown.
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

_STATISTICS = (*(f"{100 * share:.0f} % quantile" for share in QUANTILES), "Mean")

Counts = NDArray[np.int64]

#: Why the rows of a deployment cannot be read.
NO_CONFIG = "The dashboard does not have the config of this deployment: give it with --config or --configs."


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomesView:
    """What became of answers in a slice: a matrix, quantiles or ranks, and the counts behind it where it has some."""

    title: str
    table: TableView
    data: TableView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomesPage:
    """The page of a deployment's answers and labels; `problem` says why there are none."""

    address: str
    parent: str
    name: str
    outcomes: tuple[OutcomesView, ...]
    problem: tuple[str, ...]
    shown: int
    judged: int

    @property
    def tables(self) -> tuple[TableView, ...]:
        """Every table of the page."""
        return tables_of(self.outcomes)


def tables_of(outcomes: Sequence[OutcomesView]) -> tuple[TableView, ...]:
    """The tables of some views."""
    return tuple(table for view in outcomes for table in (view.table, view.data) if table is not None)


def read_outcomes_page(deployment: StoredDeployment, latest: int, readings: KeptReadings) -> OutcomesPage:
    """The view of predictions and labels in the last windows, with the reason where they cannot be read."""
    config, summary = deployment.config, deployment.summary
    outcomes: tuple[OutcomesView, ...] = ()
    problem: tuple[str, ...] = ()
    shown = 0
    if config is None:
        problem = (NO_CONFIG,)
    else:
        windows = deployment.store.windows.recent(deployment.number, latest=latest)
        try:
            outcomes, shown = kept_outcomes(deployment, config, windows, ("",), readings)
        except PitfallsError as error:
            problem = tuple(str(error).splitlines())
    return OutcomesPage(
        address=f"{deployment.address}/outcomes",
        parent=deployment.address,
        name=printable(name_of(summary)),
        outcomes=outcomes,
        problem=problem,
        shown=shown,
        judged=deployment.store.windows.count(deployment.number),
    )


def kept_outcomes(
    deployment: StoredDeployment,
    config: MonitorConfig,
    windows: Sequence[WindowRecord],
    parts: tuple[str, ...],
    readings: KeptReadings,
) -> tuple[tuple[OutcomesView, ...], int]:
    """Of each slice what became of answers in some windows.

    Raises:
        BadInput: The traffic or the settings cannot be used.
        CannotRun: The baseline or the traffic cannot be read.
    """

    def read() -> tuple[tuple[OutcomesView, ...], int]:
        outcomes = read_outcomes(config, deployment.summary.record.version, windows, parts, deployment.clock)
        return outcome_views(outcomes), len(outcomes[0].windows)

    ends = (windows[0].start, windows[-1].end, len(windows)) if windows else ()
    return readings.get(("outcomes", state_of(deployment, config), ends, parts), read)


def outcome_views(outcomes: Sequence[Outcomes]) -> tuple[OutcomesView, ...]:
    """The matrices or quantiles of each slice.

    Returns:
        One for each; none of a task of which no loss is known, and where no live row has a label.
    """
    return tuple(_view(of_slice) for of_slice in outcomes if of_slice.task.metrics and len(of_slice.live))


def _view(outcomes: Outcomes) -> OutcomesView:
    ranking = ranking_of(outcomes.task)
    if ranking is not None:
        return _ranks(outcomes, ranking)
    if not outcomes.task.classes:
        return _residuals(outcomes)
    counts = [outcomes.task.confusion_counts(side.answers, side.labels) for side in (outcomes.baseline, outcomes.live)]
    before, since = counts
    return _decisions(outcomes) if before is None or since is None else _confusion(outcomes, before, since)


def _note(outcomes: Outcomes) -> str:
    unknown = outcomes.live.unknown
    odd = f" {format_count(unknown, 'label')} of no class left out." if unknown else ""
    return (
        f"{format_count(len(outcomes.live), 'labelled row')} of {format_count(len(outcomes.windows), 'window')}; "
        f"{len(outcomes.baseline):,} of the baseline.{odd}"
    )


def _confusion(outcomes: Outcomes, before: Counts, since: Counts) -> OutcomesView:
    classes = outcomes.task.classes
    earlier, shares = shares_of_rows(before), shares_of_rows(since)
    change = np.nan_to_num(np.abs(shares - earlier)).sum(axis=1) * since.sum(axis=1)
    places = np.sort(np.argsort(-change, kind="stable")[:MOST_CLASSES])
    title = "Confusion matrix"
    left_out = (
        f" {len(places)} of {len(classes):,} classes, those that changed most." if len(places) < len(classes) else ""
    )
    matrix = TableView(
        name=_name("confusion", outcomes),
        title=f"{title} of {_whose(outcomes)}",
        columns=("Label", *(f"Answer {printable(classes[place])}" for place in places), "Rows", "Rows of the baseline"),
        rows=tuple(
            (
                cell(printable(classes[row]), style="text"),
                *(
                    _answered(shares[row, column], earlier[row, column], right=row == column)
                    for column in places.tolist()
                ),
                cell(f"{since[row].sum():,}", int(since[row].sum())),
                cell(f"{before[row].sum():,}", int(before[row].sum())),
            )
            for row in places.tolist()
        ),
        numeric=frozenset(range(1, len(places) + 3)),
        note=f"Of the rows with a label, the share with each answer; in brackets the change against the baseline, in "
        f"percentage points. {_note(outcomes)}{left_out}",
    )
    return OutcomesView(title=matrix.title, table=matrix, data=_cells(outcomes, (before, since), matrix.title))


def _cells(outcomes: Outcomes, counts: tuple[Counts, Counts], title: str) -> TableView:
    """The counts behind a matrix, the most frequent first."""
    classes, (before, since) = outcomes.task.classes, counts
    total = before + since
    order = np.argsort(-total, axis=None, kind="stable")[:MOST_CELLS]
    places = [divmod(place, len(classes)) for place in order.tolist() if total.flat[place]]
    return TableView(
        name=_name("confusion-counts", outcomes),
        title=f"Counts of the {lower_first(title)}",
        columns=("Label", "Answer", "Rows of the baseline", "Rows"),
        rows=tuple(
            (
                cell(printable(classes[row]), style="text"),
                cell(printable(classes[column]), style="text"),
                cell(f"{before[row, column]:,}", int(before[row, column])),
                cell(f"{since[row, column]:,}", int(since[row, column])),
            )
            for row, column in places
        ),
        numeric=frozenset({2, 3}),
    )


def _decisions(outcomes: Outcomes) -> OutcomesView:
    """Of each class that a row may have: how often it was missed, and answered where it is not."""
    (before, _), (since, rows) = (
        decision_rates(outcomes.task, side.answers, side.labels) for side in (outcomes.baseline, outcomes.live)
    )
    table = TableView(
        name=_name("decisions", outcomes),
        title=f"Decisions by class of {_whose(outcomes)}",
        columns=("Class", "Missed", "Answered where it is not", "Rows with the class"),
        rows=tuple(
            (
                cell(printable(name), style="text"),
                *(_share(now[place], then[place]) for place in range(2)),
                cell(f"{count:,}", count),
            )
            for name, then, now, count in zip(
                outcomes.task.classes, before.tolist(), since.tolist(), rows.tolist(), strict=True
            )
        ),
        numeric=frozenset({1, 2, 3}),
        note="Shares of the rows with the class, and of those without it; in brackets the change against the baseline, "
        f"in percentage points. {_note(outcomes)}",
    )
    return OutcomesView(title=table.title, table=table, data=None)


def _residuals(outcomes: Outcomes) -> OutcomesView:
    """Quantiles of label minus answer; of each number where there are several."""
    then, now = (residuals(outcomes.task, side.answers, side.labels) for side in (outcomes.baseline, outcomes.live))
    task = outcomes.task
    names = task.number_names
    more = ("Number",) if names[0] else ()
    table = TableView(
        name=_name("residuals", outcomes),
        title=f"Residuals of {_whose(outcomes)}",
        columns=(*more, "Label minus answer", "Baseline", "Now", "Difference"),
        rows=tuple(
            (
                *((cell(printable(name), style="text"),) if more else ()),
                cell(words),
                *(_number(value) for value in (earlier, later, later - earlier)),
            )
            for place, name in enumerate(names)
            for words, earlier, later in zip(
                _STATISTICS, _statistics(then[:, place]), _statistics(now[:, place]), strict=True
            )
        ),
        numeric=frozenset(range(len(more) + 1, len(more) + 4)),
        note=_note(outcomes),
    )
    return OutcomesView(title=table.title, table=table, data=None)


def _statistics(values: Floats) -> list[float]:
    """The quantiles and the mean of residuals; NaN without any."""
    if not values.size:
        return [math.nan] * len(_STATISTICS)
    return [*np.quantile(values, QUANTILES).tolist(), float(values.mean())]


def _ranks(outcomes: Outcomes, task: Ranking) -> OutcomesView:
    """At which rank the first relevant id stood."""
    then, now = (
        np.bincount(relevant_ranks(task, side.answers, side.labels), minlength=task.places + 1)
        for side in (outcomes.baseline, outcomes.live)
    )
    ranks = (*range(1, task.places + 1), 0)
    table = TableView(
        name=_name("ranks", outcomes),
        title=f"Rank of the relevant id of {_whose(outcomes)}",
        columns=("Rank", "Share of the rows", "Rows", "Rows of the baseline"),
        rows=tuple(
            (
                cell(f"{rank}", rank) if rank else cell("not answered"),
                _share(float(now[rank]) / max(int(now.sum()), 1), _part(int(then[rank]), int(then.sum()))),
                cell(f"{now[rank]:,}", int(now[rank])),
                cell(f"{then[rank]:,}", int(then[rank])),
            )
            for rank in ranks
        ),
        numeric=frozenset({1, 2, 3}),
        note=f"Of several relevant ids, the one that stood first; in brackets the change against the baseline, in "
        f"percentage points. {_note(outcomes)}",
    )
    return OutcomesView(title=table.title, table=table, data=None)


def _part(some: int, whole: int) -> float:
    return some / whole if whole else math.nan


def _whose(outcomes: Outcomes) -> str:
    """The slice, or the output and the slice, in words."""
    if not outcomes.output:
        return slice_title(outcomes.part)
    return printable(outcomes.output) + (f" at {slice_title(outcomes.part)}" if outcomes.part else "")


def _name(kind: str, outcomes: Outcomes) -> str:
    return "-".join(filter(None, (kind, outcomes.output, outcomes.part)))


def _share(now: float, then: float) -> Cell:
    """A share with its change in percentage points."""
    if math.isnan(now):
        return Cell(text=NOTHING)
    points = "" if math.isnan(then) else f"{100 * (now - then):+.1f}".replace("-", "\N{MINUS SIGN}")
    return cell(f"{100 * now:.1f} %" + (f" ({points})" if points[1:].strip("0.") else ""), float(now))


def _answered(now: float, then: float, *, right: bool) -> Cell:
    """A share of the matrix: the larger, the darker; where the answer is the label, in bold."""
    heat = 0 if math.isnan(now) else math.ceil(4 * now)
    words = (f"heat-{heat}" if heat else "", "agree" if right else "")
    return replace(_share(now, then), style=" ".join(filter(None, words)))


def _number(value: float) -> Cell:
    if math.isnan(value):
        return Cell(text=NOTHING)
    return cell(plain_number(value).replace("-", "\N{MINUS SIGN}"), value)


Reading = TypeVar("Reading")

#: Readings that are kept, at most: tables of counts, and no rows.
MOST_KEPT: Final = 64

#: Seconds that one is kept at least, and as a multiple of what it took: so reading takes a twentieth of a core at most.
LEAST_SECONDS: Final = 60.0
TIMES_ITS_COST: Final = 20.0


class KeptReadings:
    """Keeps what was read. For threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._readings: OrderedDict[Hashable, tuple[float, object]] = OrderedDict()

    def get(self, key: Hashable, read: Callable[[], Reading]) -> Reading:
        """What is kept, or else read now."""
        with self._lock:
            until, cached_reading = self._readings.get(key, (0.0, None))
        begin = self._clock()
        if begin < until:
            return cast("Reading", cached_reading)
        reading = read()
        end = self._clock()
        with self._lock:
            self._readings[key] = end + max(LEAST_SECONDS, TIMES_ITS_COST * (end - begin)), reading
            self._readings.move_to_end(key)
            while len(self._readings) > MOST_KEPT:
                self._readings.popitem(last=False)
        return reading


def state_of(deployment: StoredDeployment, config: MonitorConfig) -> Hashable:
    """What the outcomes of a deployment depend on, beside the windows: its settings, its baseline, its last run."""
    place = find_baseline(config).baseline
    summary = deployment.summary
    return deployment.named.name, summary.number, settings_digest(config), str(place), summary.used_at
