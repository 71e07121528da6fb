"""The worker of a shadow: tails the traffic log, has the candidate answer in the dark, counts evidence, and decides."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.atomic import write_text
from monitoring.config import MonitorConfig
from monitoring.records import RolloutEvent, RolloutRecord
from monitoring.rollout.decision_rules import LATENCY, DecisionRules
from monitoring.rollout.evaluation import evaluate
from monitoring.rollout.evidence.paired_sums import PairedSums
from monitoring.rollout.life import ITSELF, Pass, next_step
from monitoring.rollout.log.candidate_log import Answering, CandidateLog
from monitoring.rollout.log.evidence_job import (
    CountedWindow,
    MatureWindow,
    answers_folder,
    count_windows,
    due_windows,
    measures_of,
    plan_of,
    share_obstacles,
    window_wait,
)
from monitoring.rollout.log.paired_log import PairedLog, champion_log
from monitoring.rollout.log.versions import Versions, bundle_digest, find_versions
from monitoring.rollout.pairs import LATENCY as LATENCY_MEASURE
from monitoring.rollout.rollout_settings import iso, rules_of_text, with_setting
from monitoring.rollout.scoring import Scorer
from monitoring.rollout.shadow.shares import Pace, Shares, shares_of, steps_document
from monitoring.sources.log_source import LogSource
from monitoring.store.store import Store
from monitoring.traffic.windows import Window

#: Rows of a window that are timed at most, those that are timed in one pass, and those that a percentile needs.
ROWS, AT_ONCE, ENOUGH = 500, 50, 200

#: The percentile that is compared.
QUANTILE = 0.99

_FILE = "latencies.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionCost:
    """What a version costs: microseconds of a run of one row, and bytes of memory.

    Attributes:
        p50_us: The median; None without rows.
        p99_us: The 99th percentile; None without rows.
        memory_bytes: The memory of its process; 0 if that is not known.
    """

    p50_us: float | None
    p99_us: float | None
    memory_bytes: int


@dataclass(slots=True)
class LatencySample:
    """The times of both versions on some rows of each window, kept in a file.

    Both run the same rows, each by itself, in turns on the same machine: what the machine does meanwhile happens to
    both.

    Attributes:
        times: By the start of the window, the times of the candidate and of the champion, in microseconds.
    """

    folder: Path
    times: dict[str, tuple[list[int], list[int]]] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> LatencySample:
        """The sample of a folder; empty where there is none, or its file is damaged."""
        try:
            document = json.loads((folder / _FILE).read_text("utf-8"))
            times = {str(at): (list(map(int, ours)), list(map(int, theirs))) for at, (ours, theirs) in document.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            times = {}
        return cls(folder=folder, times=times)

    def take(self, window: Window, now: datetime, rows: pa.Table, candidate: Scorer, champion: Scorer) -> None:
        """Time some rows of a window with both versions, unless enough were timed for so much of the window."""
        ours, theirs = self.times.setdefault(window.start.isoformat(), ([], []))
        by_now = math.ceil(ROWS * min((now - window.start) / (window.end - window.start), 1.0))
        wanted = min(AT_ONCE, by_now - len(ours), rows.num_rows)
        if wanted <= 0:
            return
        signature = rows["signature"][0].as_py()
        some = rows.filter(pc.equal(rows["signature"], signature)).slice(0, wanted)
        first, second = candidate.score(some, alone=True), champion.score(some, alone=True)
        if first.run_us is None or second.run_us is None:
            return
        both = first.answered & second.answered
        ours += first.run_us[both].tolist()
        theirs += second.run_us[both].tolist()
        self.folder.mkdir(parents=True, exist_ok=True)
        write_text(self.folder / _FILE, json.dumps(self.times), durable=False)

    def sums(self, window: datetime, ratio: float) -> PairedSums | None:
        """Which of the two is slow more often in a window.

        Slow is above `ratio` times the champion's 99th percentile in the windows before, so that no window decides what
        is slow in it.

        Returns:
            The sums of x = 1 where the candidate alone is slow, -1 where the champion alone is; None before there are
            enough rows.
        """
        name = window.isoformat()
        before = [duration for at, (_, times) in self.times.items() if at < name for duration in times]
        if name not in self.times or len(before) < ENOUGH:
            return None
        edge = ratio * float(np.quantile(before, QUANTILE))
        ours, theirs = (np.array(times) > edge for times in self.times[name])
        return PairedSums.of(ours.astype(np.float64) - theirs.astype(np.float64)) if ours.size else None

    def costs(self, memory: Sequence[int]) -> Mapping[str, VersionCost]:
        """What each version costs, over all windows.

        Args:
            memory: The memory of the candidate and of the champion, in bytes.
        """
        by_version = {}
        for place, name in enumerate(("candidate", "champion")):
            times = [duration for pair in self.times.values() for duration in pair[place]]
            p50, p99 = (float(np.quantile(times, share)) if times else None for share in (0.5, QUANTILE))
            by_version[name] = VersionCost(p50_us=p50, p99_us=p99, memory_bytes=memory[place])
        return by_version


#: How far behind the newest row that was answered a pass looks again: rows of one time come in any order.
SLACK = timedelta(minutes=15)

#: Makes what answers rows with a version's bundle.
MakeScorer = Callable[[Path], Scorer]


@dataclass(slots=True)
class ShadowWorker:
    """Works on one rollout. May be killed at any moment: what it has answered and counted is kept, each once.

    Attributes:
        timer: Seconds, for the pace.
    """

    config: MonitorConfig
    store: Store
    record: RolloutRecord
    make_scorer: MakeScorer
    clock: Callable[[], datetime]
    timer: Callable[[], float] = time.monotonic
    _scorers: dict[Path, Scorer] = field(default_factory=dict)
    _answered_to: datetime | None = None
    _swept: set[datetime] = field(default_factory=set)
    _pace: Pace = field(default_factory=Pace)

    def work(self) -> Pass:
        """One pass: answer what is new, count what is mature, and look."""
        rules, versions = rules_of_text(self.record.settings), self._versions()
        champion, shares = champion_log(versions), shares_of(self.record)
        folder = answers_folder(self.config, versions, bundle_digest(versions.bundle))
        sample = LatencySample.read(folder)
        with CandidateLog(folder, versions, clock=self.clock) as answers:
            work = Answering(champion, self._scorer(versions.bundle), answers)
            events = self._answer(work, shares)
            if rules.guard(LATENCY) is not None:
                self._time(versions, champion, sample)
        dark = PairedLog(versions, champion, folder, horizon=rules.horizon, swapped=self.record.mode == "watch")
        return self._look(versions, dark, sample, work.rows, events)

    def close(self) -> None:
        """Let go of the versions."""
        for scorer in self._scorers.values():
            scorer.close()
        self._scorers.clear()

    def _versions(self) -> Versions:
        """The versions as they answer: the first logs, the second is in the dark."""
        return find_versions(self.config, champion=self.record.logging, candidate=self.record.dark)

    def _scorer(self, bundle: Path) -> Scorer:
        if bundle not in self._scorers:
            self._scorers[bundle] = self.make_scorer(bundle)
        return self._scorers[bundle]

    def _answer(self, work: Answering, shares: Shares) -> list[RolloutEvent]:
        """Answer rows that came since the last pass, and whole windows once no more of their rows come."""
        now, begin = self.clock(), self.timer()
        plan = plan_of(self.config)
        if self._answered_to is not None and self._answered_to > now + SLACK:  # the clock was ahead, and is not now
            self._answered_to, self._swept = None, set()
        first = max(self.record.started_at, (self._answered_to or self._counted_to()) - SLACK)
        lateness = self.config.windows.lateness
        for window in plan.windows(max(self.record.started_at, first - lateness), now):
            start, end = max(window.start, first), min(window.end, now)
            if start < end:
                work.answer(Window(start=start, end=end), shares)
            if window.end + lateness <= now and window.start not in self._swept:
                if self._answered_to is not None:
                    work.answer(window, shares)
                self._swept.add(window.start)
        covered = now - (self._answered_to or now)
        self._answered_to = now
        return self._keep_pace(shares, self.timer() - begin, covered.total_seconds())

    def _keep_pace(self, shares: Shares, took_s: float, covered_s: float) -> list[RolloutEvent]:
        """Lower the share where the shadow cannot keep up, and raise it again where it can; both are told."""
        turn = self._pace.passed(took_s, covered_s) if covered_s else 0
        now = self.clock()
        changed = shares.lowered(now) if turn < 0 else shares.raised(now) if turn > 0 else shares
        if changed.now == shares.now:
            return []
        settings = with_setting(self.record.settings, "shares", steps_document(changed))
        self.record = replace(self.record, settings=settings)
        why = "it cannot keep up" if turn < 0 else "it keeps up"
        text = f"The shadow answers {changed.now:.1%} of the rows from {changed.steps[-1][0]:%H:%M} UTC on: {why}."
        return [RolloutEvent(at=now, kind="share", by=ITSELF, text=text)]

    def _counted_to(self) -> datetime:
        """The end of the last window that was counted; the rollout's beginning before that."""
        windows = self.store.rollouts.windows(self.record.number)
        return windows[-1][1] if windows else self.record.started_at

    def _time(self, versions: Versions, champion: LogSource, sample: LatencySample) -> None:
        """Time some of the newest rows with both versions."""
        now = self.clock()
        window = plan_of(self.config).windows(now, now)[-1]
        rows = champion.log.read(
            model=champion.model,
            version=champion.version,
            start=max(now - SLACK, window.start, self.record.started_at),
            end=now,
        )
        if rows.num_rows and now > self.record.started_at:
            logs = versions.config.model.folder / str(versions.champion)
            pair = self._scorer(versions.bundle), self._scorer(logs)
            candidate, former = pair[::-1] if self.record.mode == "watch" else pair
            sample.take(window, now, rows, candidate, former)
            costs = sample.costs([candidate.memory_bytes, former.memory_bytes])
            cost_documents = {name: asdict(cost) for name, cost in costs.items()}
            self.record = replace(self.record, settings=with_setting(self.record.settings, "costs", cost_documents))

    def _look(
        self,
        versions: Versions,
        paired: PairedLog,
        sample: LatencySample,
        answered: int,
        events: Sequence[RolloutEvent],
    ) -> Pass:
        """Count the windows that have become mature, and look at all evidence."""
        now, rules = self.clock(), rules_of_text(self.record.settings)
        stored = self.store.rollouts.windows(self.record.number)
        earlier_windows = [CountedWindow.of(*window) for window in stored]
        due = self._due(paired, {start for start, *_ in stored}, rules, now)
        measures = measures_of(versions, rules, self.record.scale)
        counted, measures = count_windows(
            paired, due, measures, shares_of(self.record), fresh=self.record.scale is None
        )
        counted = [_with_latency(window, sample, rules) for window in counted]
        everything = [*earlier_windows, *counted]
        result = evaluate(
            [window.evidence for window in everything],
            measures,
            rules,
            [*share_obstacles(everything), *self._other_versions(versions)],
            expected=[LATENCY_MEASURE] if rules.guard(LATENCY) is not None else [],
        )
        scale = measures.scale if everything else None
        record = replace(self.record, scale=scale, settings=with_setting(self.record.settings, "worked_at", iso(now)))
        step = next_step(record, result, self.config.rollout.deciding, now)
        happened = (*events, *step.events)
        windows = [(window.evidence.start, window.evidence.end, window.text()) for window in counted]
        if not self.store.rollouts.save_windows(step.record, windows, happened):  # somebody has ended it meanwhile
            self.record = self.store.rollouts.read(self.record.number)
            return Pass(record=self.record, answered=answered, counted=0)
        self.record = step.record
        return Pass(record=step.record, answered=answered, counted=len(counted), do=step.do, events=happened)

    def _due(
        self, paired: PairedLog, counted_starts: set[datetime], rules: DecisionRules, now: datetime
    ) -> list[MatureWindow]:
        """The windows that are mature and were not counted yet."""
        windows = paired.windows(plan_of(self.config))
        fresh = [
            window for window in windows if window.end > self.record.started_at and window.start not in counted_starts
        ]
        samples, only_sampled = (
            self.store.rollouts.samples(self.record.number),
            self.config.rollout.deciding.labels == "asked",
        )
        due = due_windows(fresh, window_wait(self.config, rules), now, samples, only_sampled=only_sampled)
        if self.config.rollout.answers_change_labels:  # of a watch: labels are of the other version's answers
            return [replace(mature_window, known_by=mature_window.window.start) for mature_window in due]
        return due

    def _other_versions(self, versions: Versions) -> list[str]:
        """That the version that logs has been replaced by a third one, which nobody compares."""
        champion = champion_log(versions)
        extent = champion.log.extent(champion.model, champion.version)
        plan = plan_of(self.config)
        obstacles = []
        for key in champion.log.models():
            if key.model != champion.model or key.version in (versions.champion, versions.candidate):
                continue
            other = champion.log.extent(key.model, key.version)
            last = None if extent is None else plan.windows(extent[1], extent[1])[-1].end
            if other is not None and (last is None or other[1] > last + self.config.windows.lateness):
                obstacles.append(
                    f"Version {key.version} answers now, and version {versions.champion} does not any more."
                )
        return list(dict.fromkeys(obstacles))


def _with_latency(window: CountedWindow, sample: LatencySample, rules: DecisionRules) -> CountedWindow:
    """A window with the measure of latency, where enough rows were timed."""
    sums = sample.sums(window.evidence.start, rules.limit(LATENCY, 1.0)) if rules.guard(LATENCY) is not None else None
    if sums is None:
        return window
    evidence = replace(window.evidence, measures={**window.evidence.measures, LATENCY_MEASURE: sums})
    return replace(window, evidence=evidence)
