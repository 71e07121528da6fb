"""The worker of a split: keeps the servers' file, counts windows of both versions, checks who got what, and decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from monitoring.config import MonitorConfig
from monitoring.errors import BadInput
from monitoring.records import RolloutRecord
from monitoring.rollout.comparing import ARMS
from monitoring.rollout.decision_rules import LATENCY, DecisionRules
from monitoring.rollout.evaluation import evaluate
from monitoring.rollout.evidence.assignment import MISMATCH, is_mismatch
from monitoring.rollout.life import ITSELF, Pass, Step, ended, next_step
from monitoring.rollout.log.evidence_job import (
    CountedWindow,
    MatureWindow,
    due_windows,
    measures_of,
    plan_of,
    window_wait,
)
from monitoring.rollout.log.paired_log import windows_of
from monitoring.rollout.log.versions import Versions, find_versions
from monitoring.rollout.pairs import LATENCY as LATENCY_MEASURE
from monitoring.rollout.pairs import Measures
from monitoring.rollout.rollout_settings import iso, rules_of_text, setting, with_setting
from monitoring.rollout.split.arms_log import ArmsLog, SplitWindow, split_evidence
from monitoring.rollout.split.split_file import Split, end_split, write_split
from monitoring.store.store import Store

#: Champion's rows of a window by whose 99th percentile it is told which rows are slow in later windows.
ENOUGH = 200
_QUANTILE = 0.99

#: The share of rows that the wrong version may have answered, as while servers hear of a split.
MOST_CROSSED = 0.05


def split_of(record: RolloutRecord, timezone: str) -> Split:
    """How a rollout splits requests."""
    return Split(
        model=record.model,
        champion=record.champion,
        candidate=record.candidate,
        share=record.share,
        salt=record.salt,
        key=setting(record.settings, "key"),
        sticky=setting(record.settings, "sticky"),
        timezone=timezone,
    )


def split_file(config: MonitorConfig) -> Path:
    """Where the servers of a config read how to split. Raises BadInput where it says nothing of it."""
    file = config.rollout.split_file
    if file is None:
        raise BadInput(
            "The config does not say where servers hear of the split.",
            got='mode = "split" without split_file in the [rollout] section',
            expected="the file of the servers' --split-file",
            fix='Write, for example, split_file = "split.json", and start servers with --split-file split.json.',
        )
    return file


@dataclass(slots=True)
class SplitWorker:
    """Works on one rollout of mode split. May be killed at any moment: what it counted is kept, once."""

    config: MonitorConfig
    store: Store
    record: RolloutRecord
    clock: Callable[[], datetime]

    def work(self) -> Pass:
        """One pass: have the servers split, count what is mature, and look."""
        now, rules = self.clock(), rules_of_text(self.record.settings)
        versions = find_versions(self.config, champion=self.record.champion, candidate=self.record.candidate)
        split = split_of(self.record, self.config.windows.timezone)
        write_split(split_file(self.config), split)
        arms = ArmsLog(versions, split, horizon=rules.horizon, started_at=self.record.started_at)
        measures = measures_of(versions, rules)
        earlier_windows = [CountedWindow.of(*window) for window in self.store.rollouts.windows(self.record.number)]
        counted = self._count(arms, rules, measures, {window.evidence.start for window in earlier_windows})
        everything = [*earlier_windows, *counted]
        units = [len(names) for names in arms.units(now)]
        result = evaluate(
            [window.evidence for window in everything],
            measures,
            rules,
            _obstacles(everything, units),
            expected=[LATENCY_MEASURE] if rules.guard(LATENCY) is not None else [],
            comparing=ARMS,
        )
        counts = {"units": units, **{name: sum(getattr(window, name) for window in everything) for name in _COUNTS}}
        settings = with_setting(with_setting(self.record.settings, "worked_at", iso(now)), "split", counts)
        record = replace(self.record, settings=settings)
        step = _mismatched(record, units, now) or next_step(record, result, self.config.rollout.deciding, now)
        record = replace(step.record, result=result)
        windows = [(window.evidence.start, window.evidence.end, window.text()) for window in counted]
        if not self.store.rollouts.save_windows(record, windows, step.events):  # somebody has ended it meanwhile
            self.record = self.store.rollouts.read(self.record.number)
            self.close()
            return Pass(record=self.record, answered=0, counted=0)
        self.record = record
        self.close()
        return Pass(record=record, answered=0, counted=len(counted), do=step.do, events=step.events)

    def close(self) -> None:
        """Have the servers split no more, where the rollout has ended."""
        if not self.record.goes_on:
            stays = self.record.candidate if self.record.state == "promoted" else self.record.champion
            end_split(split_file(self.config), stays, salt=self.record.salt)

    def _count(
        self, arms: ArmsLog, rules: DecisionRules, measures: Measures, counted_starts: set[datetime]
    ) -> list[CountedWindow]:
        """The evidence of the windows that have become mature."""
        counted_windows = []
        for due in self._due(arms, rules, counted_starts):
            once = setting(self.record.settings, "sticky") == "forever"  # each key in its first window
            before: set[str] = set().union(*arms.units(due.window.start)) if once else set()
            rows = arms.read(due.window, known_by=due.known_by, before=before)
            slow_us = setting(self.record.settings, "slow_us") if rules.guard(LATENCY) is not None else None
            evidence = split_evidence(due.window, rows, measures, slow_us)
            counted_windows.append(
                CountedWindow(
                    evidence=evidence, chosen=rows.rows, logged=rows.rows, unkeyed=rows.unkeyed, crossed=rows.crossed
                )
            )
            self._note_latency(rows, rules)
        return counted_windows

    def _note_latency(self, rows: SplitWindow, rules: DecisionRules) -> None:
        """Which rows are slow from the next window on, by the champion's in this one; said once."""
        times = rows.champion.latencies
        if setting(self.record.settings, "slow_us") is None and times.size >= ENOUGH:
            edge = rules.limit(LATENCY, 1.0) * float(np.quantile(times, _QUANTILE))
            self.record = replace(self.record, settings=with_setting(self.record.settings, "slow_us", edge))

    def _due(self, arms: ArmsLog, rules: DecisionRules, counted_starts: set[datetime]) -> list[MatureWindow]:
        plan = plan_of(self.config)
        both = (windows_of(source, plan, since=None, until=None) for source in (arms.champion, arms.candidate))
        windows = sorted({window for windows in both for window in windows}, key=lambda window: window.start)
        fresh = [
            window for window in windows if window.end > self.record.started_at and window.start not in counted_starts
        ]
        return due_windows(fresh, window_wait(self.config, rules), self.clock())


_COUNTS = ("unkeyed", "crossed")


def _obstacles(windows: Sequence[CountedWindow], units: Sequence[int]) -> list[str]:
    """Why nothing can be told, in sentences."""
    obstacles = []
    rows, crossed = sum(window.logged for window in windows), sum(window.crossed for window in windows)
    if crossed > MOST_CROSSED * (rows + crossed):
        obstacles.append(
            f"{crossed:,} rows of {rows + crossed:,} were answered by another version than their key says."
        )
    if windows and not rows:
        unkeyed = sum(window.unkeyed for window in windows)
        obstacles.append(f"No row is part of the split; {unkeyed:,} rows have no key.")
    for count, version in zip(units, ("champion", "candidate"), strict=True):
        if sum(units) and not count:
            obstacles.append(f"The {version} has answered no key.")
    return obstacles


def _mismatched(record: RolloutRecord, units: Sequence[int], now: datetime) -> Step | None:
    """The end of a rollout whose versions certainly did not get the keys that they were to get; else None."""
    shares = (1.0 - record.share, record.share)
    if not sum(units) or not is_mismatch(units, shares):
        return None
    got = units[1] / sum(units)
    text = (
        f"Version {record.candidate} got {got:.1%} of {sum(units):,} keys, and was to get {record.share:.1%}. That is "
        f"no chance (1 in {MISMATCH:,}): the versions' keys are not alike. Version {record.champion} stays."
    )
    return ended(record, "stopped", now, ITSELF, text)


def check_split(config: MonitorConfig, versions: Versions) -> None:
    """Raises BadInput where a split cannot be begun."""
    split_file(config)
    if config.rollout.share >= 1.0:
        raise BadInput(
            "A split needs rows of both versions.",
            got=f"share = {config.rollout.share:g}",
            expected=f"less than 1, so that version {versions.champion} answers some",
            fix="Write, for example, share = 0.5.",
        )
