"""Which losses rose in some windows, and which fell: the words of a suspected harm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from monitoring.records import BaselineScore, WindowRecord
from monitoring.tasks.metrics import find_metric
from monitoring.tasks.task import ESTIMATED, loss_of
from monitoring.watches.descriptions import format_move, lower_first, slice_title, watch_title

#: A loss has moved if its mean lies as many standard errors of the baseline's windows from the baseline's.
MOVED_ERRORS = 2.0

#: Losses that a sentence names.
NAMED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Move:
    """A loss or an estimate in some windows, by their rows; `errors` is how far it lies above the baseline's mean."""

    score: BaselineScore
    now: float
    errors: float

    @property
    def words(self) -> str:
        where = f" at {slice_title(self.score.slice)}" if self.score.slice else ""
        title = lower_first(watch_title(self.score.watch))
        return f"{title}{where} {format_move(self.score.watch, self.score.mean, self.now)}"


def risen_losses(windows: Sequence[WindowRecord], baseline: Sequence[BaselineScore]) -> str:
    """Say which losses of labelled rows rose, and which fell; where none did, which of a slice, then which estimate.

    Args:
        windows: Those of the suspected harm. Shape [n], n at least 1.

    Returns:
        A clause with values in the metrics' own units. Evidence adds up, so it may be large where all rises are small.
    """
    labelled = [
        score for score in baseline if find_metric(score.watch) is not None and loss_of(score.watch) == score.watch
    ]
    of_all, of_slices = (
        _moves(windows, [score for score in labelled if bool(score.slice) is sliced]) for sliced in (False, True)
    )
    fallen = _named([move for move in reversed(of_all) if move.errors <= -MOVED_ERRORS])
    for moves in (of_all, of_slices):
        risen = _named([move for move in moves if move.errors >= MOVED_ERRORS])
        if risen:
            return f"{risen} risen" + (f", while {fallen} fell" if fallen else "")
    estimates = [score for score in baseline if score.watch.startswith(ESTIMATED)]
    estimated = _named([move for move in _moves(windows, estimates) if move.errors >= MOVED_ERRORS])
    if estimated:
        labels = f"of labelled rows {fallen} fell" if fallen else "no loss of labelled rows rose" if of_all else ""
        return f"{estimated}, an estimate" + (f"; {labels}," if labels else "")
    small = _named([move for move in of_all if move.errors > 0.0])
    return f"small rises, {small}," if small else "a loss of some rows has risen beyond chance"


def _moves(windows: Sequence[WindowRecord], baseline: Sequence[BaselineScore]) -> list[_Move]:
    """Each loss that has a score in a window, the one that rose most first."""
    moves = []
    for score in baseline:
        scored = [
            (record.value, max(record.rows, 1))
            for window in windows
            for record in window.scores
            if (record.watch, record.slice) == (score.watch, score.slice) and record.value is not None
        ]
        if scored:
            now = math.fsum(value * rows for value, rows in scored) / sum(rows for _, rows in scored)
            error = max(score.seasonal_deviation / math.sqrt(len(scored)), 1e-12)
            moves.append(_Move(score=score, now=now, errors=(now - score.mean) / error))
    return sorted(moves, key=lambda move: -move.errors)


def _named(moves: Sequence[_Move]) -> str:
    return " and ".join(move.words for move in moves[:NAMED])
