"""The evidence of a rollout by a traffic log: windows that are mature, in order, each counted once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.config import MonitorConfig
from monitoring.records import LabelSample
from monitoring.rollout.decision_rules import CALIBRATION, ERRORS, DecisionRules
from monitoring.rollout.evidence.assignment import LEAST_SHARE, assigned
from monitoring.rollout.evidence.differences import loss_named
from monitoring.rollout.log.paired_log import Chosen, PairedLog
from monitoring.rollout.log.versions import Versions
from monitoring.rollout.pairs import Measures, WindowEvidence
from monitoring.traffic.windows import CalendarPlan, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class MatureWindow:
    """A window whose labels are due."""

    window: Window
    known_by: datetime
    sample: LabelSample | None = None

    @property
    def horizon(self) -> timedelta | None:
        """How long a label may take, where one was asked for."""
        return None if self.sample is None else self.sample.due - self.window.start


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedWindow:
    """The evidence of a window, and how much of its traffic it is.

    Attributes:
        gone: Answers of the candidate to rows that the log does not have any more.
        crossed: Of a split, rows that another version answered than their key says.
    """

    evidence: WindowEvidence
    chosen: int
    logged: int
    gone: int = 0
    unkeyed: int = 0
    crossed: int = 0

    @classmethod
    def of(cls, start: datetime, end: datetime, document: Mapping[str, Any]) -> CountedWindow:
        """The inverse of `text`."""
        measures = dict(document)
        counts = {name: measures.pop(name, 0) for name in _COUNTS}
        return cls(evidence=WindowEvidence.of(start, end, measures), **counts)

    def text(self) -> str:
        """The window as JSON, without its times."""
        counts = {name: getattr(self, name) for name in _COUNTS}
        return json.dumps({**self.evidence.document(), **counts})

    @property
    def answered(self) -> int:
        """Rows that the candidate has answered, usable or not."""
        return self.evidence.rows + self.evidence.unusable


_COUNTS = ("chosen", "logged", "gone", "unkeyed", "crossed")


def measures_of(versions: Versions, rules: DecisionRules, scale: float | None = None) -> Measures:
    """What is measured of two versions; `scale` is that of the first window, if there was one."""
    names = frozenset(guard.name for guard in rules.guards)
    return Measures(
        task=versions.task,
        loss=loss_named(versions.task, rules.loss),
        scale=1.0 if scale is None else scale,
        slices=versions.slices if "slices" in names else {},
        guards=names & {CALIBRATION, ERRORS},
    )


def plan_of(config: MonitorConfig) -> CalendarPlan:
    """How a rollout cuts time: as the config, by time alone."""
    return CalendarPlan(every=config.windows.every, timezone=config.windows.timezone)


class ChosenByHash:
    """Which rows the candidate is to answer: those whose id lies in a share by hash, the same for whoever asks."""

    def __init__(self, salt: str, share: float) -> None:
        self._salt = salt
        self._share = share

    def __call__(self, ids: pa.Array, event_us: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of some rows, [n]."""
        return assigned(self._salt, ids, self._share)


def count_windows(
    paired: PairedLog, windows: Sequence[MatureWindow], measures: Measures, chosen: Chosen, *, fresh: bool
) -> tuple[list[CountedWindow], Measures]:
    """The evidence of windows that are mature.

    Returns:
        The windows with rows that the candidate was to answer, and the measures with their scale.
    """
    counted_windows: list[CountedWindow] = []
    for due in windows:
        rows = paired.read(due.window, known_by=due.known_by, chosen=chosen, horizon=due.horizon)
        if not rows.chosen and not rows.gone:
            continue
        if fresh and len(rows.pairs):
            measures, fresh = replace(measures, scale=measures.scale_of(rows.pairs)), False
        evidence = measures.window(due.window, rows.pairs, due.sample)
        counted_windows.append(CountedWindow(evidence=evidence, chosen=rows.chosen, logged=rows.logged, gone=rows.gone))
    return counted_windows, measures


def share_obstacles(windows: Sequence[CountedWindow]) -> list[str]:
    """Why too few of the planned rows were answered to tell anything, in sentences."""
    obstacles = []
    chosen, answered = sum(window.chosen for window in windows), sum(window.answered for window in windows)
    if answered < LEAST_SHARE * chosen:
        share = f"{answered:,} of the {chosen:,} rows that it was to answer, {answered / chosen:.1%}"
        obstacles.append(f"The candidate has answered {share}; {LEAST_SHARE:.0%} are needed.")
    gone = sum(window.gone for window in windows)
    if gone > (1.0 - LEAST_SHARE) * (answered + gone):
        obstacles.append(f"The traffic log has lost {gone:,} rows that the candidate had answered.")
    return obstacles


def window_wait(config: MonitorConfig, rules: DecisionRules) -> timedelta:
    """How long after its end a window is mature: its last rows are there, and its labels are due."""
    return max(rules.horizon, config.windows.lateness)


def due_windows(
    windows: Sequence[Window],
    wait: timedelta,
    now: datetime,
    samples: Sequence[LabelSample] = (),
    *,
    only_sampled: bool = False,
) -> list[MatureWindow]:
    """Those windows whose labels are due, up to the first one that has to wait: evidence enters in order of time.

    Args:
        samples: Where the labels of a sample were asked for; these windows wait until they are to be there.
        only_sampled: Whether labels come only where they were asked for: other windows wait until they are.
    """
    mature_windows = []
    for window in windows:
        sample = next((sample for sample in samples if sample.start <= window.start and window.end <= sample.end), None)
        known_by = window.end + wait if sample is None else sample.due
        if known_by > now or (only_sampled and sample is None):
            break
        mature_windows.append(MatureWindow(window=window, known_by=known_by, sample=sample))
    return mature_windows


def answers_folder(config: MonitorConfig, versions: Versions, digest: str) -> Path:
    """Where the candidate's answers are kept: by its number and what it is."""
    return config.rollouts_folder / f"{versions.candidate}-{digest[:12]}"
