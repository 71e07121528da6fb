"""One window's job, pure: state and rows in; state, record and incidents out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import Profile
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.evidence.level import LevelReading, LevelState, LevelTest
from monitoring.incidents.alarm import Alarm, DeploymentBaseline
from monitoring.incidents.cause import Cause, explain
from monitoring.incidents.input_drift import NAMED
from monitoring.incidents.life_cycle import begin_recovery, step_fact_recovery, step_recovery
from monitoring.incidents.onset import HISTORY
from monitoring.judging.autocorrelation_update import UpdatedTests
from monitoring.judging.fit.estimator import MOST_CLASSES, elsewhere, losses_by_window, step_excluding
from monitoring.judging.fit.reference_fit import ReferenceFit
from monitoring.judging.schema_check import Check
from monitoring.judging.window.row_scorer import RowScorer
from monitoring.judging.window.window_sums import AnsweredSums, LabelledSums, WindowAggregator
from monitoring.judging.window.window_traffic import WindowTraffic
from monitoring.judging.worst_rows import worst_rows
from monitoring.records import (
    LEVELS,
    CauseRow,
    Finding,
    IncidentRecord,
    Level,
    ScoreRecord,
    ScoreSum,
    WatchKey,
    WindowRecord,
    WindowStatus,
)
from monitoring.timestamps import as_microseconds, duration_microseconds
from monitoring.traffic.windows import Window
from monitoring.watches import integrity, joint
from monitoring.watches.catalogue import Catalogue
from monitoring.watches.early_labels import EarlyLabels, LabelRate
from monitoring.watches.embedding import embedded, missing_embeddings
from monitoring.watches.joint import RecentWindows
from monitoring.watches.label_coverage import LabelWindow, PendingLabels

#: The watch that names an incident opened by a fact.
SCHEMA = "schema"

#: Between the inputs that such an incident names, in its `slice`.
BETWEEN = ", "

#: An input that the baseline has in most rows, and that is missing in every row of a window, is gone: that is a fact.
MOSTLY_MISSING = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeState:
    """All that passes from window to window.

    Each level's test, the incidents not yet closed, recent windows, what the joint watch remembers of their rows,
    the counts of windows whose labels are waited for, whether the first of all labels have come, and what the schema's
    comparators compare the next window with.
    """

    levels: Mapping[Level, LevelState] = field(default_factory=dict)
    incidents: tuple[IncidentRecord, ...] = ()
    next_number: int = 1
    history: tuple[WindowRecord, ...] = ()
    recent: RecentWindows = field(default_factory=RecentWindows)
    awaited: PendingLabels = field(default_factory=PendingLabels)
    first_labels: EarlyLabels = field(default_factory=EarlyLabels)
    compared: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One judged window: the state after it, its record, and every incident that it opened or moved."""

    state: JudgeState
    window: WindowRecord
    changed: tuple[IncidentRecord, ...]


class Judge:
    """Judges windows by one reference fit. Holds no state of its own: the same state and traffic give the same answer.

    `check` holds a window's profile against the schema (see `monitoring.judging.schema_check`), `phases` tells the
    places of the window that begins at a time in each cycle. An incident's times are those of windows, never of a
    clock, so that a run repeated gives the same words.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        reference_fit: ReferenceFit,
        *,
        timezone: str,
        check: Check,
        phases: Callable[[datetime], Mapping[str, int]],
        optional: frozenset[str] = frozenset(),
    ) -> None:
        self._catalogue = catalogue
        self._counter = ProfileBuilder(catalogue.bins)
        estimator = reference_fit.estimator
        self._scorer = RowScorer(
            catalogue,
            threshold=None if estimator is None else estimator.threshold,
            most_classes=0 if estimator is None else MOST_CLASSES,
        )
        self._reference_fit = reference_fit
        self._remembering = UpdatedTests(reference_fit.tests)
        self._check = check
        self._phases = phases
        self._optional = optional
        self._sight = catalogue.embedding
        self._watches = catalogue.watches
        self._baseline = DeploymentBaseline(
            scores={WatchKey(watch=score.watch, slice=score.slice): score for score in reference_fit.baseline_scores()},
            losses=reference_fit.losses,
            watches=self._watches,
            expected=self._expected,
            thresholds={level: test.budget.threshold for level, test in reference_fit.tests.items()},
            timezone=timezone,
            embedding=catalogue.embedding is not None,
        )

    def aggregator(self) -> WindowAggregator:
        """What takes a window's rows; its sums go into `WindowTraffic`."""
        return WindowAggregator(self._scorer, self._counter)

    def sums(self, answered: AnsweredSums, labelled: LabelledSums) -> dict[WatchKey, ScoreSum]:
        """A window's sums of all watches that need no earlier window."""
        found = self._scorer.prediction_sums(answered.tally)
        found |= integrity.answer_sums(answered.rows, answered.tally.number("rows"))
        return found | self._catalogue.count_sums(answered.counts) | self._scorer.label_sums(labelled.whole)

    def judge(self, state: JudgeState, traffic: WindowTraffic) -> Judgement:
        """Judge one window. Cost: that of its watches, whatever its rows, but where rows are named with a cause."""
        counts = traffic.answered.counts
        first_labels, labelled = self._first_labels(state.first_labels, traffic)
        awaited, mature = self._labelled(state.awaited, traffic)
        sums = self.sums(traffic.answered, labelled) | mature
        recent, witness = state.recent, self._reference_fit.witness
        unseen: list[Finding] = []
        if witness is not None:
            sample = self._seen(traffic.answered.sample, unseen)
            sums[WatchKey(watch=joint.WATCH.name)], recent = witness.step_sample(recent, sample, traffic.answered.rows)
        found, compared = self._findings(traffic.problems, counts, state.compared)
        findings = (*traffic.findings, *first_labels.findings(traffic.labelled.rows), *found, *unseen)
        tests = self._remembering.tests(state.levels)
        incidents, changed = self._followed(state.incidents, tests, sums, findings, traffic)
        over = {i.level for i in changed if i.state == "closed" and i.watch != SCHEMA}
        levels: dict[Level, LevelState] = {}
        phases = self._phases(traffic.window.start)
        readings: dict[Level, LevelReading] = {}
        previous = state.history[-1].estimates if state.history else ()
        for level in LEVELS:
            test, before = tests[level], state.levels.get(level, LevelState())
            before = test.restarted(before) if level in over else before
            away = elsewhere(test, level, previous)
            levels[level], readings[level] = step_excluding(test, before, sums, away, phases)
        record = self._record(traffic, readings, findings)
        if self._reference_fit.estimator is not None:
            held = self._reference_fit.estimator.records(previous, traffic.answered, labelled, self._scorer)
            record = replace(record, estimates=held, settled=losses_by_window(traffic.labelled))
        history = (*state.history, record)[-HISTORY:]
        opened = _facts(record, incidents, state.next_number)
        for level in LEVELS:
            if readings[level].alarm and not any(i.level == level and i.watch != SCHEMA for i in _alive(incidents)):
                since = history[-levels[level].windows :]
                cause = self._explained(readings[level], readings["notice"], since, recent)
                key = WatchKey(watch=cause.watch, slice=cause.slice)
                opener = tests[level].tests[key]
                cause = replace(cause, detail=replace(cause.detail, rows=self._rows(key, traffic)))
                begun = begin_recovery(opener, cause.rise / self._watches[cause.watch].scale)
                opened.append(_incident(state.next_number + len(opened), level, record, cause, recovery=begun))
        incidents, changed = (*incidents, *opened), (*changed, *opened)
        record = replace(record, status=self._status(record, incidents))
        history = (*history[:-1], record)
        return Judgement(
            state=JudgeState(
                levels=levels,
                incidents=_alive(incidents),
                next_number=state.next_number + len(opened),
                history=history,
                recent=recent,
                awaited=awaited,
                first_labels=first_labels,
                compared=compared,
            ),
            window=record,
            changed=changed,
        )

    def _seen(self, rows: Predictions, unseen: list[Finding]) -> Predictions:
        """The sampled rows as the joint watch sees them; what it does not see goes to `unseen`."""
        if self._sight is None:
            return rows
        found = embedded(rows, self._sight)
        unseen += missing_embeddings(len(rows), len(found), self._sight)
        return found

    def _findings(
        self, problems: tuple[tuple[str, str], ...], counts: Profile, previous: str
    ) -> tuple[tuple[Finding, ...], str]:
        """What the schema says, the inputs that were absent, retyped or all missing, and what to compare next."""
        if counts.rows == 0:
            return (), previous
        broken = dict(problems)
        found = [
            Finding(
                kind="column gone" if problem == "absent" else "type changed",
                feature=name,
                message=f"The input {name} is {problem}." if problem == "absent" else f"The input {name}: {problem}.",
                fact=True,
            )
            for name, problem in problems
        ]
        for bins, feature in zip(self._catalogue.bins, counts.features, strict=True):
            enough = counts.rows >= self._reference_fit.tests["page"].min_rows
            if enough and feature.present == 0 and bins.feature not in broken and bins.feature not in self._optional:
                message = f"The input {bins.feature} is missing in all {counts.rows} rows."
                found.append(Finding(kind="all values missing", feature=bins.feature, message=message, fact=True))
        named = {(finding.kind, finding.feature) for finding in found}
        checked = self._check(counts, tuple(broken), previous)
        new = (f for f in checked.findings if (f.kind, f.feature) not in named and f.feature not in broken)
        return (*found, *new), checked.previous

    def _record(
        self, traffic: WindowTraffic, readings: Mapping[Level, LevelReading], findings: tuple[Finding, ...]
    ) -> WindowRecord:
        rows = traffic.answered.rows
        return WindowRecord(
            start=traffic.window.start,
            end=traffic.window.end,
            rows=rows,
            labels=traffic.labelled.rows,
            labels_due=rows + traffic.late,
            labels_unknown=traffic.unknown,
            labels_conflicting=traffic.conflicts,
            label_delays=traffic.labelled.delays,
            repeats=traffic.repeats,
            unseen=traffic.unseen,
            status="ok",
            page_log_evidence=readings["page"].log_evidence,
            notice_log_evidence=readings["notice"].log_evidence,
            findings=findings,
            scores=tuple(
                ScoreRecord(
                    level=level,
                    watch=reading.key.watch,
                    slice=reading.key.slice,
                    rows=reading.rows,
                    value=None if reading.score is None else self._watches[reading.key.watch].value(reading.score),
                    log_evidence=reading.log_evidence,
                )
                for level in LEVELS
                for reading in readings[level].watches
            ),
        )

    def _followed(
        self,
        incidents: Sequence[IncidentRecord],
        tests: Mapping[Level, LevelTest],
        sums: Mapping[WatchKey, ScoreSum],
        findings: Sequence[Finding],
        traffic: WindowTraffic,
    ) -> tuple[tuple[IncidentRecord, ...], tuple[IncidentRecord, ...]]:
        """Every incident one window on, and those that the window changed."""
        after = []
        window, rows = traffic.window, traffic.answered.rows
        for incident in incidents:
            key = WatchKey(watch=incident.watch, slice=incident.slice)
            if incident.watch == SCHEMA:
                seen = any(f.fact and f.feature in incident.slice.split(BETWEEN) for f in findings)
                # A window without rows enough to see it in says nothing of a fact.
                told = seen or rows >= max(self._reference_fit.tests["page"].min_rows, 1)
                after.append(step_fact_recovery(incident, seen=seen, now=window.end) if told else incident)
                continue
            level = tests[incident.level]
            total = sums.get(key, ScoreSum())
            if total.rows < max(level.min_rows, 1):
                after.append(incident)
                continue
            score = level.adjusted_score(key, total.mean, self._phases(window.start))
            threshold = level.budget.threshold
            after.append(step_recovery(incident, level.tests[key], score, threshold=threshold, now=window.end))
        changed = tuple(new for old, new in zip(incidents, after, strict=True) if new != old)
        return tuple(after), changed

    def _explained(
        self, reading: LevelReading, notice: LevelReading, history: Sequence[WindowRecord], recent: RecentWindows
    ) -> Cause:
        witness = self._reference_fit.witness
        return explain(
            Alarm(
                reading=reading,
                notice=notice,
                windows=tuple(history),
                baseline=self._baseline,
                drifted_pairs=() if witness is None else witness.pairs(recent, NAMED),
            )
        )

    def _expected(self, key: WatchKey, start: datetime) -> float:
        """What the baseline expects of a watch in the window that begins at `start`, in the watch's own unit."""
        level = self._reference_fit.tests[self._watches[key.watch].level]
        cycle = level.seasonality.get(key)
        owed = 0.0 if cycle is None else cycle.offset(self._phases(start))
        return self._baseline.scores[key].mean + owed * self._watches[key.watch].scale

    def _labelled(
        self, awaited: PendingLabels, traffic: WindowTraffic
    ) -> tuple[PendingLabels, dict[WatchKey, ScoreSum]]:
        if self._catalogue.coverage is None:
            return awaited, {}
        answered, scorer = traffic.answered, self._scorer
        return awaited.updated_by_counts(
            self._catalogue.coverage,
            scorer.counted(answered.tally),
            answered.newest if answered.rows else None,
            {start: scorer.counted(tally) for start, tally in traffic.labelled.tallies.items()},
            window=self._span(traffic.window),
        )

    def _first_labels(self, before: EarlyLabels, traffic: WindowTraffic) -> tuple[EarlyLabels, LabelledSums]:
        """Whether the first labels have come, and the window's own, from which losses are made once they have."""
        found = before.updated(
            traffic.answered.tally.number("rows"),
            traffic.answered.newest,
            {start: tally.number("rows") for start, tally in traffic.labelled.tallies.items()},
            window=self._span(traffic.window),
            rate=LabelRate(share=self._reference_fit.label_rate, min_rows=self._reference_fit.tests["page"].min_rows),
        )
        return found, traffic.labelled if found.complete else traffic.labelled.without_losses()

    def _span(self, window: Window) -> LabelWindow:
        horizon = duration_microseconds(self._reference_fit.horizon)
        return LabelWindow(start=as_microseconds(window.start), end=as_microseconds(window.end), horizon=horizon)

    def _rows(self, key: WatchKey, traffic: WindowTraffic) -> tuple[CauseRow, ...]:
        return worst_rows(
            key,
            self._catalogue,
            labelled=traffic.again.labelled,
            answered=traffic.again.answered,
        )

    def _status(self, record: WindowRecord, incidents: Sequence[IncidentRecord]) -> WindowStatus:
        """The highest level at which an incident is alive; thin if the window's rows still wait for company."""
        levels = {i.level for i in _alive(incidents)}
        if "page" in levels:
            return "page"
        if record.rows < self._reference_fit.tests["page"].min_rows:
            return "thin"
        return "notice" if "notice" in levels else "ok"


def _alive(incidents: Sequence[IncidentRecord]) -> tuple[IncidentRecord, ...]:
    return tuple(i for i in incidents if i.state != "closed")


def optional_inputs(catalogue: Catalogue, missing: Mapping[str, float]) -> frozenset[str]:
    """Inputs missing so often in the baseline (a share of its rows) that a window without any is no fact."""
    return frozenset(b.feature for b in catalogue.bins if missing.get(b.feature, 0.0) > MOSTLY_MISSING)


def _facts(record: WindowRecord, incidents: Sequence[IncidentRecord], number: int) -> list[IncidentRecord]:
    """One incident for each kind of fact that is new in this window: outside the budget, at once."""
    known = {feature for i in _alive(incidents) if i.watch == SCHEMA for feature in i.slice.split(BETWEEN)}
    by_kind: dict[str, dict[str, Finding]] = {}
    for finding in record.findings:
        if finding.fact and finding.feature not in known:
            by_kind.setdefault(finding.kind, {})[finding.feature] = finding
    opened: list[IncidentRecord] = []
    for kind, facts in by_kind.items():
        named = BETWEEN.join(facts)
        first = next(iter(facts.values()))
        message = first.message if len(facts) == 1 else f"{kind[0].upper()}{kind[1:]} for {len(facts)} inputs: {named}."
        cause = Cause(watch=SCHEMA, slice=named, cause=kind, message=message)
        opened.append(_incident(number + len(opened), "page", record, cause, recovery="0"))
    return opened


def _incident(number: int, level: Level, record: WindowRecord, cause: Cause, *, recovery: str) -> IncidentRecord:
    return IncidentRecord(
        number=number,
        level=level,
        state="open",
        opened_at=record.end,
        window_start=record.start,
        window_end=record.end,
        watch=cause.watch,
        slice=cause.slice,
        cause=cause.cause,
        message=cause.message,
        recovery=recovery,
        detail=cause.detail,
    )
