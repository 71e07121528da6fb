"""What is promised before a rollout: how often its versions disagree, how labels come, and when a verdict comes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.config import MonitorConfig
from monitoring.errors import BadInput
from monitoring.records import RolloutPlan, RolloutPromise
from monitoring.rollout import decision_rules
from monitoring.rollout.decision_rules import DecisionRules
from monitoring.rollout.evidence.day_spread import day_spreads, days_differ
from monitoring.rollout.evidence.differences import calibration_differences, loss_scale, losses_of, paired_differences
from monitoring.rollout.evidence.planning import (
    MAX_WINDOWS,
    SHARES,
    PairedStream,
    PlannedGuard,
    Promise,
    Stream,
    UnitStream,
    guard_windows,
    last_guard,
    promise,
)
from monitoring.rollout.evidence.terms import Rules
from monitoring.rollout.log.candidate_log import Answering, CandidateLog
from monitoring.rollout.log.evidence_job import ChosenByHash, answers_folder, measures_of, plan_of
from monitoring.rollout.log.paired_log import PairedLog, champion_log, windows_of
from monitoring.rollout.log.versions import Versions, bundle_digest
from monitoring.rollout.pairs import CALIBRATION, ERRORS, Measures, PairedRows
from monitoring.rollout.scoring import Scorer
from monitoring.sources.log_source import LogSource
from monitoring.tasks.label_codes import has_label
from monitoring.traffic.format.rows import INPUT
from monitoring.traffic.windows import Window
from monitoring.watches.scoring import slice_codes

#: Windows that are simulated at most: each version's interval has to be found in each of them.
MAX_SPLIT_WINDOWS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """The units of a split: how many come in a window of so many days."""

    keys: float
    share: float
    coverage: float
    days: float = 1.0


def keys_per_day(champion: LogSource, windows: Sequence[Window], config: MonitorConfig) -> float:
    """How many keys come in a day: a key counts once a day, once at all, or each time, as the config says.

    Where the key is no logged input but a header, each row counts as a key: the log does not have it before a split.
    """
    section = config.rollout
    span = {"model": champion.model, "version": champion.version, "start": windows[0].start, "end": windows[-1].end}
    days = (windows[-1].end - windows[0].start).total_seconds() / 86_400.0
    name = f"{INPUT}{section.key}"
    try:
        table = champion.log.read(**span, columns=("prediction_id", "event_time", name))  # type: ignore[arg-type]
    except BadInput:
        table = champion.log.read(**span, columns=("prediction_id", "event_time"))  # type: ignore[arg-type]
        return float(table.num_rows / days)
    keys = table[name]
    keys = pc.list_element(keys, 0) if pa.types.is_list(keys.type) else keys
    if section.sticky == "request":
        return float(table.num_rows / days)
    dates = pc.floor_temporal(table["event_time"], unit="day")
    columns = {"key": keys} if section.sticky == "forever" else {"key": keys, "date": dates}
    return float(pa.table(columns).group_by(list(columns)).aggregate([]).num_rows / days)


def unit_streams(
    measures: Measures, rules: DecisionRules, rows: PairedRows, units: Units
) -> tuple[Stream, Sequence[PlannedGuard]]:
    """The units of the loss, and those of each guard with what it may be worse by; calibration and latency apart."""
    scale = loss_scale(measures.task, measures.loss)
    losses = losses_of(measures.task, measures.loss, rows.champion, rows.labels)

    def stream(values: np.ndarray, part: float = 1.0) -> UnitStream:
        finite = values[np.isfinite(values)]
        mean, square = (float(finite.mean()), float((finite**2).mean())) if finite.size else (0.5, 0.5)
        return UnitStream(rows=units.keys * part, share=units.share, mean=mean, square=square, coverage=units.coverage)

    def limited(name: str, unit: float) -> Rules:
        return Rules(margin=rules.limit(name, scale), alpha=rules.wrong, scale=unit, missing=rules.missing_labels)

    guards: list[PlannedGuard] = []
    for column, values in measures.slices.items():
        codes = slice_codes(rows.rows.features[column], values)
        masks = [codes == code for code in range(len(values))]
        guards += [
            PlannedGuard(
                f"{column}={value}", stream(losses[mask], float(mask.mean())), limited(decision_rules.SLICES, scale)
            )
            for value, mask in zip(values, masks, strict=True)
            if mask.any()
        ]
    if ERRORS in measures.guards:
        errors = UnitStream(rows=units.keys, share=units.share, mean=0.0, square=0.0)
        margin = rules.limit(decision_rules.ERRORS, scale, units.keys / units.days)
        guards.append(PlannedGuard(ERRORS, errors, _rules(rules, margin, 1.0)))
    return stream(losses), guards


#: Rows that both versions answer for a plan, about, and labelled disagreements that say how large differences are.
ROWS, ENOUGH = 8_000, 30

#: A plan is made by the last windows with rows, so many, among the latest ones.
WINDOWS, LATEST = 14, 400

#: The sizes of differences that are planned for, in smallest differences; and no difference at all.
EFFECTS = (-10.0, -4.0, -2.0, 0.0, 2.0, 4.0, 10.0)

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _TrafficSample:
    """What a sample of rows says.

    Attributes:
        mature: Which rows' labels are due, [n].
        day: The number of the day, or of the longer window, of each row, [n].
    """

    pairs: PairedRows
    day: np.ndarray
    rows_per_day: float
    keys_per_day: float | None
    mature: np.ndarray


def make_plan(
    versions: Versions,
    rules: DecisionRules,
    scorer: Scorer,
    *,
    share: float,
    clock: Callable[[], datetime],
    rng: np.random.Generator,
) -> RolloutPlan:
    """Plan a rollout: the candidate answers some logged rows, whose labels are not needed.

    Returns:
        The plan. Cost: the candidate's answers to some thousand rows, and a few seconds.
    """
    traffic = _sample(versions, rules, scorer, clock)
    measures = measures_of(versions, rules)
    scale = loss_scale(measures.task, measures.loss)
    length = _window_days(versions, clock())
    rows = traffic.rows_per_day * length * share
    coverage = _coverage(traffic)
    stream = _differences(measures, traffic, scale).stream(rows, coverage)
    deciding = Rules(margin=rules.margin(scale), alpha=rules.wrong, scale=scale, missing=rules.missing_labels)
    horizon, keys = rules.horizon / _DAY, traffic.keys_per_day
    of_loss: Stream = stream
    effects = _effects(rules.margin(scale), scale)
    if keys is None:  # versions that differ on so few rows cannot differ by more
        effects = [effect for effect in effects if abs(effect) <= stream.disagreement * scale] or [0.0]
        guards, furthest = _guard_streams(measures, rules, traffic, stream, length), MAX_WINDOWS
    else:
        split = Units(keys=keys * length, share=share, coverage=coverage, days=length)
        of_loss, guards, stream = *unit_streams(measures, rules, traffic.pairs, split), replace(stream, days=())
        furthest = MAX_SPLIT_WINDOWS
    waits = guard_windows(guards, rng, max_windows=furthest)
    outlooks = [promise(of_loss, effect, deciding, rng, guards=waits, max_windows=furthest) for effect in effects]
    last, windows = last_guard(waits, furthest)
    return RolloutPlan(
        at=clock(),
        rows_per_day=traffic.rows_per_day * (share if keys is None else 1.0),
        disagreement=stream.disagreement,
        spread=stream.spread,
        coverage=coverage,
        label_delay_days=_delays(traffic),
        measured_on=len(traffic.pairs),
        promises=tuple(_promised(outlook, length, horizon) for outlook in outlooks),
        keys_per_day=None if keys is None else (keys * (1.0 - share), keys * share),
        furthest_days=furthest * length + horizon,
        last_guard=last,
        last_guard_days=None if windows is None else windows * length + horizon,
        day_spread=_middle_and_most(stream.days),
        days_seen=int(np.unique(traffic.day).size),
    )


def _middle_and_most(spreads: tuple[float, ...]) -> tuple[float, float] | None:
    """The standard deviations below which half and nine tenths of them lie; None without any."""
    half, most = (float(np.quantile(spreads, share)) for share in SHARES) if spreads else (None, None)
    return None if half is None or most is None else (half, most)


def _promised(outlook: Promise, length: float, horizon: float) -> RolloutPromise:
    """A promise in days, by the days of a window and of the label horizon."""
    return RolloutPromise(
        effect=outlook.effect,
        verdict=outlook.word,
        shares=SHARES,
        days=tuple(None if count is None else count * length + horizon for count in outlook.windows),
        rows=outlook.rows,
        labels=outlook.labels,
    )


def _effects(margin: float, scale: float) -> list[float]:
    """The differences that are planned for; without a margin, in thousandths of the largest loss."""
    unit = margin or scale / 1_000.0
    return [effect * unit for effect in EFFECTS if margin or effect]


def _sample(versions: Versions, rules: DecisionRules, scorer: Scorer, clock: Callable[[], datetime]) -> _TrafficSample:
    """Have the candidate answer rows of the last windows, of those whose labels are due if there are some."""
    champion, plan, now = champion_log(versions), plan_of(versions.config), clock()
    everything = windows_of(champion, plan, since=None, until=now)
    due = [window for window in everything if window.end + rules.horizon <= now]
    latest = (due or everything)[-LATEST:]
    rows = champion.row_counts(latest)[:, 1] if latest else np.zeros(0, np.int64)
    places = np.flatnonzero(rows)[-WINDOWS:]
    windows, counts = [latest[place] for place in places.tolist()], rows[places]
    if not windows:
        raise BadInput(
            "The traffic log has no rows of the champion.",
            got=f"no row of {versions.config.model.name} version {versions.champion} in a whole window",
            expected="requests that it has answered",
            fix="Name the version that answered: --champion; `pitfalls traffic DIR` lists them.",
        )
    chosen = ChosenByHash("plan", min(ROWS / float(counts.sum()), 1.0))
    folder = answers_folder(versions.config, versions, bundle_digest(versions.bundle))
    with CandidateLog(folder, versions, clock=clock) as answers:
        work = Answering(champion, scorer, answers)
        for window in windows:
            work.answer(window, chosen)
    paired = PairedLog(versions, champion, folder, horizon=rules.horizon)
    parts = [paired.read(window, known_by=window.end + rules.horizon, chosen=chosen).pairs for window in windows]
    mature = np.concatenate([np.full(len(part), bool(due)) for part in parts])
    length = timedelta(days=_window_days(versions, now))
    day = np.concatenate(
        [
            np.full(len(part), (window.start - windows[0].start) // length)
            for window, part in zip(windows, parts, strict=True)
        ]
    )
    days = (windows[-1].end - windows[0].start) / _DAY
    keys = keys_per_day(champion, windows, versions.config) if versions.config.rollout.mode == "split" else None
    return _TrafficSample(
        pairs=PairedRows.joined(parts),
        day=day,
        rows_per_day=float(counts.sum()) / days,
        keys_per_day=keys,
        mature=mature,
    )


def _window_days(versions: Versions, now: datetime) -> float:
    """How long a window is, a day at least: shorter ones count by the day."""
    window: Window = plan_of(versions.config).windows(now, now)[-1]
    return max((window.end - window.start) / _DAY, 1.0)


def _coverage(traffic: _TrafficSample) -> float:
    """The share of rows whose label has come in time, among those that were due; 1 where none was."""
    labelled = has_label(traffic.pairs.labels)[traffic.mature]
    return float(labelled.mean()) if labelled.any() else 1.0


def _delays(traffic: _TrafficSample) -> tuple[float, float]:
    """In how many days half, and nine tenths, of the labels came."""
    rows = traffic.pairs.rows
    labelled = has_label(rows.labels)
    if not labelled.any():
        return 0.0, 0.0
    days = (rows.label_times[labelled] - rows.event_times[labelled]) / 86_400e6
    return float(np.quantile(days, 0.5)), float(np.quantile(days, 0.9))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Differences:
    """What rows of the sample say of a measure: their differences, the largest ones, and their days, [n] each."""

    values: np.ndarray
    largest: np.ndarray
    day: np.ndarray
    scale: float

    def of_rows(self, mask: np.ndarray) -> _Differences:
        return replace(self, values=self.values[mask], largest=self.largest[mask], day=self.day[mask])

    def stream(self, rows: float, coverage: float, of_all: tuple[float, ...] | None = None) -> PairedStream:
        """The stream of so many rows in a window.

        Args:
            of_all: By how much days of all rows may differ, which holds for part of them unless that is seen to differ.
        """
        differ = self.largest > 0.0
        has_difference = differ & np.isfinite(self.values)
        is_known = np.count_nonzero(has_difference) >= ENOUGH
        sizes = self.values[has_difference] if is_known else self.largest[differ]
        spread = math.sqrt(float(np.mean(sizes**2))) if sizes.size else 1.0
        days = of_all or ()
        if is_known:
            sums = self._by_day(has_difference, np.count_nonzero(has_difference) / np.count_nonzero(differ))
            if of_all is None or days_differ(*sums):
                days = tuple((self.scale * day_spreads(*sums)).tolist())
        return PairedStream(
            rows=rows,
            disagreement=float(differ.mean()) if differ.size else 0.0,
            spread=max(spread, 1e-6) * self.scale,
            coverage=coverage,
            days=days,
        )

    def _by_day(self, known: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray, float]:
        """The total of each day, the rows that would have it if all were known, and their variance.

        Args:
            share: Of the rows that differ those that are known.
        """
        values = self.values[known]
        rows = np.bincount(self.day) * share
        totals = np.bincount(self.day[known], weights=values, minlength=rows.size)
        variance = float((values**2).sum() / rows.sum() - (values.sum() / rows.sum()) ** 2)
        return totals[rows > 0.0], rows[rows > 0.0], variance


def _differences(measures: Measures, traffic: _TrafficSample, scale: float) -> _Differences:
    pairs = traffic.pairs
    found = paired_differences(measures.task, measures.loss, pairs.champion, pairs.candidate, pairs.labels)
    return _Differences(values=found.values, largest=found.largest, day=traffic.day, scale=scale)


def _guard_streams(
    measures: Measures, rules: DecisionRules, traffic: _TrafficSample, of_loss: PairedStream, days: float
) -> Sequence[PlannedGuard]:
    """The paired rows of each guard, and what it may be worse by; latency apart, which is not known before."""
    pairs, scale = traffic.pairs, loss_scale(measures.task, measures.loss)
    rows, coverage = of_loss.rows, of_loss.coverage
    streams: list[PlannedGuard] = []
    differences = _differences(measures, traffic, scale)
    for column, values in measures.slices.items():
        codes = slice_codes(pairs.rows.features[column], values)
        for code, value in enumerate(values):
            mask = codes == code
            part = differences.of_rows(mask).stream(rows * float(mask.mean()), coverage, of_loss.days)
            if mask.any():
                slice_rules = _rules(rules, rules.limit(decision_rules.SLICES, scale), scale)
                streams.append(PlannedGuard(f"{column}={value}", part, slice_rules))
    if measures.measures_calibration and CALIBRATION in measures.guards:
        gap = calibration_differences(measures.task, measures.loss, pairs.champion, pairs.candidate, pairs.labels)
        of_gap = _Differences(values=gap.values, largest=gap.largest, day=traffic.day, scale=scale)
        part = of_gap.stream(rows, coverage)
        streams.append(PlannedGuard(CALIBRATION, part, rules.calibration(scale)))
    if ERRORS in measures.guards:
        errors = PairedStream(rows=rows, disagreement=0.0)
        margin = rules.limit(decision_rules.ERRORS, scale, rows / days)
        streams.append(PlannedGuard(ERRORS, errors, _rules(rules, margin, 1.0)))
    return streams


def _rules(rules: DecisionRules, margin: float, scale: float) -> Rules:
    return Rules(margin=margin, alpha=rules.wrong, scale=scale, missing=rules.missing_labels)
