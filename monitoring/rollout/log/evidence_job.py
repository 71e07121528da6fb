"""The evidence of a rollout by a traffic log: windows that are mature, in order, each counted once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.config import MonitorConfig
from monitoring.rollout.decision_rules import (
    CALIBRATION,
    ERRORS,
    DecisionRules,
    parsed_budget,
    parsed_guards,
)
from monitoring.rollout.evidence.assignment import LEAST_SHARE, assigned
from monitoring.rollout.evidence.differences import loss_named
from monitoring.rollout.log.paired_log import PairedLog, label_horizon
from monitoring.rollout.log.versions import Versions
from monitoring.rollout.pairs import Measures, WindowEvidence
from monitoring.traffic.windows import Window, WindowPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedWindow:
    """The evidence of a window, and how much of its traffic it is.

    Attributes:
        evidence: The evidence.
        chosen: Rows that the candidate was to answer.
        logged: Rows that the champion has answered.
    """

    evidence: WindowEvidence
    chosen: int
    logged: int

    @property
    def answered(self) -> int:
        """Rows that the candidate has answered, usable or not."""
        return self.evidence.rows + self.evidence.unusable


def rules_of(config: MonitorConfig) -> DecisionRules:
    """What a config decides a rollout by.

    Returns:
        The rules.

    Raises:
        BadInput: a guard or the budget cannot be read.
    """
    section = config.rollout.deciding
    return DecisionRules(
        loss=section.loss,
        min_effect=section.min_effect,
        require=section.require,
        wrong=parsed_budget(section.wrong),
        guards=parsed_guards(section.guards),
        missing_labels=section.missing_labels,
        horizon=config.windows.label_horizon if section.horizon is None else section.horizon,
        give_up=section.give_up,
    )


def measures_of(versions: Versions, rules: DecisionRules, scale: float | None = None) -> Measures:
    """What is measured of two versions; `scale` is that of the first window, if there was one.

    Returns:
        The measures.

    Raises:
        BadInput: they have no such loss.
    """
    names = frozenset(guard.name for guard in rules.guards)
    return Measures(
        task=versions.task,
        loss=loss_named(versions.task, rules.loss),
        scale=1.0 if scale is None else scale,
        slices=versions.slices if "slices" in names else {},
        guards=names & {CALIBRATION, ERRORS},
    )


def plan_of(config: MonitorConfig) -> WindowPlan:
    """How a rollout cuts time: as the config, by time alone."""
    return WindowPlan(every=config.windows.every, timezone=config.windows.timezone)


class ChosenByHash:
    """Which rows the candidate is to answer: those whose id lies in a share by hash, the same for whoever asks."""

    def __init__(self, salt: str, share: float) -> None:
        self._salt = salt
        self._share = share

    def __call__(self, ids: pa.Array, window: Window) -> NDArray[np.bool_]:
        """Which of some rows of a window, [n]."""
        return assigned(self._salt, ids, self._share)


def count_windows(
    versions: Versions,
    paired: PairedLog,
    windows: Sequence[Window],
    measures: Measures,
    chosen: ChosenByHash,
    *,
    fresh: bool,
) -> tuple[list[CountedWindow], Measures]:
    """The evidence of windows that are mature.

    Args:
        versions: The versions.
        paired: Reads both logs.
        windows: The windows, in order.
        measures: What is measured.
        chosen: Which rows the candidate was to answer.
        fresh: Whether no window was counted before: the first one with rows says the scale.

    Returns:
        The windows with rows that the candidate was to answer, and the measures with their scale.
    """
    found: list[CountedWindow] = []
    horizon = label_horizon(versions)
    for window in windows:
        rows = paired.read(window, known_by=window.end + horizon, chosen=chosen)
        if not rows.chosen:
            continue
        if fresh and len(rows.pairs):
            measures, fresh = replace(measures, scale=measures.scale_of(rows.pairs)), False
        evidence = measures.window(window, rows.pairs)
        found.append(CountedWindow(evidence=evidence, chosen=rows.chosen, logged=rows.logged))
    return found, measures


def share_obstacles(windows: Sequence[CountedWindow]) -> list[str]:
    """Why too few of the planned rows were answered to tell anything, in sentences."""
    chosen, answered = sum(one.chosen for one in windows), sum(one.answered for one in windows)
    if not chosen or answered >= LEAST_SHARE * chosen:
        return []
    share = f"{answered:,} of the {chosen:,} rows that it was to answer, {answered / chosen:.1%}"
    return [f"The candidate has answered {share}; {LEAST_SHARE:.0%} are needed."]


def mature(windows: Sequence[Window], horizon: timedelta, now: datetime) -> list[Window]:
    """Those windows whose labels are due."""
    return [window for window in windows if window.end + horizon <= now]


def answers_folder(config: MonitorConfig, versions: Versions, digest: str) -> Path:
    """Where the candidate's answers are kept: by its number and what it is.

    Args:
        config: The config.
        versions: The versions.
        digest: That of the candidate's bundle.

    Returns:
        The folder.
    """
    base = config.rollout.folder or config.traffic.label_log.parent / "rollouts"
    return base / config.model.name / f"{versions.candidate}-{digest[:12]}"
