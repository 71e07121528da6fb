"""Windows of paired rows out of two logs: the champion's, and that of the candidate's answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.baseline.batch import Batch
from monitoring.baseline.predictions import Predictions, microseconds
from monitoring.errors import BadInput
from monitoring.judging.window.label_join import LabelJoin
from monitoring.rollout.log.versions import Versions
from monitoring.rollout.pairs import PairedRows
from monitoring.sources.log_source import LogSource
from monitoring.sources.traffic import traffic_path
from monitoring.timestamps import duration_microseconds
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.tables.files import is_table
from monitoring.traffic.windows import CalendarPlan, Window

#: Which of the champion's rows the candidate is to answer, by their ids and event times in microseconds, [n] each.
Chosen = Callable[[pa.Array, NDArray[np.int64]], NDArray[np.bool_]]

#: Rows that are read with their inputs at once.
ROWS = 1 << 14


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedWindow:
    """The rows of a window.

    Attributes:
        gone: How many of the candidate's answers are to rows that the log does not have any more.
    """

    pairs: PairedRows
    chosen: int
    logged: int
    gone: int = 0


def champion_log(versions: Versions) -> LogSource:
    """The champion's rows in the traffic log that a config names."""
    path = traffic_path(versions.config)
    if versions.config.traffic.query is not None or is_table(path):
        raise BadInput(
            "A candidate is scored on logged requests.",
            got=f"{path}, a table",
            expected="the folder that a server was given with --traffic",
            fix="Give a table with the answers of both versions: `pitfalls rollout replay --table`.",
        )
    return LogSource(
        path,
        versions.config.model,
        versions.spec,
        version=versions.champion,
        excluded=frozenset(versions.config.traffic.exclude_callers),
    )


class PairedLog:
    """Reads windows of rows that both versions have answered.

    Args:
        swapped: Whether the version that answers in the dark is the one that the other is held against, as the former
            champion is after a promotion.
    """

    def __init__(
        self, versions: Versions, champion: LogSource, folder: Path, *, horizon: timedelta, swapped: bool = False
    ) -> None:
        if not folder.is_dir():
            raise BadInput(
                "The version in the dark has answered nothing yet.",
                got=f"no folder {folder}",
                expected="its answers to some logged requests",
                fix="`pitfalls rollout start` has it answer them.",
            )
        self._swapped = swapped
        self._champion = champion
        model = versions.config.model.model_copy(update={"bundle": versions.bundle})
        self._candidate = LogSource(folder, model, versions.candidate_spec, version=versions.candidate)
        self._task = versions.task
        self._horizon_us = duration_microseconds(horizon)
        self._joins: dict[int, LabelJoin] = {}

    def read(
        self, window: Window, *, known_by: datetime, chosen: Chosen, horizon: timedelta | None = None
    ) -> PairedWindow:
        """The rows of a window.

        Args:
            known_by: Labels that became known at this time or later do not count.
            horizon: How long a label may take here; None: as long as anywhere.
        """
        longest_us = self._horizon_us if horizon is None else duration_microseconds(horizon)
        rows, _ = self._champion.read(window)
        mask = chosen(rows.ids, rows.event_times)
        wanted = rows.take(mask)
        answers, _ = self._candidate.read(window)
        places = np.asarray(pc.fill_null(pc.index_in(wanted.ids, answers.ids), -1), dtype=np.int64)
        both = places >= 0
        labelled = self._labelled(wanted.take(both), known_by, longest_us)
        pairs = PairedRows(rows=labelled, candidate=answers.probabilities[places[both]])
        return PairedWindow(
            pairs=pairs.swapped() if self._swapped else pairs,
            chosen=len(wanted),
            logged=len(rows),
            gone=len(answers) - int(np.count_nonzero(IdSet(rows.ids).contains(answers.ids))),
        )

    def windows(self, plan: CalendarPlan) -> list[Window]:
        """The windows in which either version has rows, in order: rows may be erased after they were answered."""
        both = (windows_of(source, plan, since=None, until=None) for source in (self._champion, self._candidate))
        return sorted({window for windows in both for window in windows}, key=lambda window: window.start)

    def _labelled(self, rows: Predictions, known_by: datetime, longest_us: int) -> Predictions:
        if longest_us not in self._joins:  # the label log is read once
            labels = self._champion.label_parts()
            self._joins[longest_us] = LabelJoin(labels, task=self._task, read=0, horizon_us=longest_us)
        batch = self._joins[longest_us].labelled(Batch.of(rows), before=known_by)
        return rows.labelled(batch.labels, batch.label_times)


def windows_of(
    champion: LogSource, plan: CalendarPlan, *, since: datetime | None, until: datetime | None
) -> list[Window]:
    """The windows in which the champion has rows, in order.

    Args:
        since: Windows that begin before are left out; None: none is.
        until: Windows that end later are left out; None: none is.

    Returns:
        The windows; of a gap that is longer than the plan's none.
    """
    by_start = {}
    for first, last in champion.spans(plan.longest_gap):
        for window in plan.windows(first, last):
            if (since is None or window.start >= since) and (until is None or window.end <= until):
                by_start[window.start] = window
    return [by_start[start] for start in sorted(by_start)]


def unanswered(
    champion: LogSource, window: Window, chosen: Chosen, answered: IdSet, *, rows: int = ROWS
) -> Iterator[pa.Table]:
    """The chosen rows of a window that the candidate has not answered, with their inputs.

    Args:
        rows: How many at once, at most.
    """
    span = {"model": champion.model, "version": champion.version, "start": window.start, "end": window.end}
    champion_rows = champion.log.read(**span, columns=("prediction_id", "event_time"))  # type: ignore[arg-type]  # each fits
    if not champion_rows.num_columns or not champion_rows.num_rows:
        return
    ids = champion_rows["prediction_id"].combine_chunks()
    wanted = np.flatnonzero(chosen(ids, microseconds(champion_rows["event_time"])) & ~answered.contains(ids))
    for first in range(0, wanted.size, rows):
        some = IdSet(ids.take(pa.array(wanted[first : first + rows])))
        table = champion.log.read(**span, ids=some)  # type: ignore[arg-type]  # as above
        for signature in table["signature"].unique().to_pylist():
            yield table.filter(pc.equal(table["signature"], signature))
