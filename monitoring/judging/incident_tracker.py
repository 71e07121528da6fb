"""Incidents from window to window: open ones are advanced, alarms and facts open new ones or make open ones worse."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from monitoring.evidence.level import LevelState, LevelTest
from monitoring.incidents.alarm import Alarm, DeploymentBaseline, score_of, since_onset
from monitoring.incidents.cause import explain
from monitoring.incidents.harm import HarmAssessment, assess, loss_changes
from monitoring.incidents.input_drift import NAMED, location_first
from monitoring.incidents.life_cycle import (
    RecentScores,
    assessed_again,
    begin_recovery,
    new_incident,
    step_recovery,
    worsened,
)
from monitoring.incidents.metric_change import onset_of
from monitoring.incidents.rearm import (
    ASSESSED_WINDOWS,
    LOSS_GROUP,
    REARMED_SHARE,
    TOLD,
    harm_group,
    incident_offsets,
    is_told,
    lowered_offsets,
    same_harm,
    score_excess,
    windows_since_news,
)
from monitoring.judging.fact_incidents import (
    LOSS_FACTS,
    ROOTS_OF_LOSSES,
    advance_fact_incident,
    harm_groups_of_fact,
    is_harm_high,
    labels_of_others,
    open_fact_incidents,
    tells,
    with_evidence,
)
from monitoring.judging.facts.gross_failures import (
    MISSING,
    MORE_MISSING,
    MORE_UNSEEN,
    OUT_OF_RANGE,
    UNSEEN,
    outside_inputs,
)
from monitoring.judging.fit.reference_fit import ReferenceFit
from monitoring.judging.incident_causes import window_shift, with_explained_losses, with_rows
from monitoring.judging.level_evidence import LevelEvidence, has_losses
from monitoring.judging.renamed_values import RARE_RENAMED, RENAMED
from monitoring.judging.window.label_findings import UNKNOWN_LABELS
from monitoring.judging.window_scorer import ScoredWindow
from monitoring.records import (
    FACT_WATCH,
    LEVELS,
    LOSS_FAMILIES,
    SUBGROUP_WATCH,
    Finding,
    IncidentRecord,
    Level,
    Reassessment,
    WatchKey,
    WindowRecord,
)
from monitoring.tasks.task import MATERIAL, loss_of
from monitoring.watches.catalogue import Catalogue

#: The watches of incidents that no test of a watch opened.
UNTESTED = (FACT_WATCH, SUBGROUP_WATCH)

#: The watches of gross failures of an input's values, by the kind of the fact: what precedes the input in their names.
WATCHES_OF_VALUES = {
    MISSING: "missing:",
    MORE_MISSING: "missing:",
    UNSEEN: "unseen:",
    MORE_UNSEEN: "unseen:",
    RENAMED: "unseen:",
    RARE_RENAMED: "unseen:",
}

#: Notices that a page of the same values supersedes.
_MORE_VALUES = (MORE_MISSING, MORE_UNSEEN)

#: So many windows after its last news the cause of an open incident is assessed again.
ASSESSED_AGAIN_AFTER = (1, 3, 7, 14, 28)

#: A page of a loss is not closed while the losses of so many last windows are harm, of whichever watch.
HARM_WINDOWS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedIncidents:
    """The incidents and the levels after one window."""

    incidents: tuple[IncidentRecord, ...]
    changed: tuple[IncidentRecord, ...]
    opened: int
    levels: Mapping[Level, LevelState]


class IncidentTracker:
    """Advances, opens and closes the incidents of one deployment. The times of incidents are those of windows.

    An alarm always tells something new: after it, every watch of the level is tested against the level that it has
    reached (`monitoring.incidents.rearm`), so that the next alarm is a change from there. If it is about the harm of an
    open incident, that becomes worse; otherwise a new one opens next to it. When an incident is closed, the watches of
    its group are tested against the baseline again.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        reference_fit: ReferenceFit,
        *,
        timezone: str,
        phases: Callable[[datetime], Mapping[str, int]],
    ) -> None:
        self._catalogue = catalogue
        self._reference_fit = reference_fit
        self._phases = phases
        self._watches = catalogue.watches
        self.baseline = DeploymentBaseline(
            scores={WatchKey(watch=score.watch, slice=score.slice): score for score in reference_fit.baseline_scores()},
            losses=reference_fit.losses,
            watches=self._watches,
            expected=self._expected,
            thresholds={level: test.budget.threshold for level, test in reference_fit.tests.items()},
            timezone=timezone,
            worst_months=reference_fit.worst_months,
            horizon=reference_fit.horizon,
        )

    def track(
        self,
        incidents: Sequence[IncidentRecord],
        evidence: Mapping[Level, LevelEvidence],
        window: ScoredWindow,
        history: Sequence[WindowRecord],
        *,
        first_number: int,
    ) -> TrackedIncidents:
        """Take the incidents and the levels through one window.

        Returns:
            The incidents and the levels after the window: new incidents in the order facts, pages, notices.
        """
        current = [self._advance(incident, evidence, window, history, incidents) for incident in incidents]
        levels = {level: self._after_closings(evidence[level], current) for level in LEVELS}
        opened = list(
            open_fact_incidents(
                self._new_facts(window, current),
                window.traffic.window,
                current=_alive(current),
                first_number=first_number,
            )
        )
        for level in LEVELS:
            level_evidence = replace(evidence[level], state=levels[level])
            if not (evidence[level].reading.alarm or evidence[level].reading.loss_alarm):
                levels[level] = self._lowered(level_evidence, current, history)
                continue
            alarm = self._alarm(evidence, level, window, history)
            alarm = replace(alarm, labels_of_others=labels_of_others(_alive(current)))
            deserved = assess(since_onset(alarm)) if level == "page" else HarmAssessment(level=level)
            updated, new = self._answer(
                alarm, deserved, level_evidence, window, (*current, *opened), first_number + len(opened)
            )
            if new is not None:
                opened.append(new)
            current = [updated.get(incident.number, incident) for incident in current]
            opened = [updated.get(incident.number, incident) for incident in opened]
            levels[level] = self._rearmed(alarm, level_evidence, deserved, (*current, *opened))
        current = [self._assessed_again(incident, evidence, window, history) for incident in current]
        current = [self._superseded(incident, opened, window.traffic.window.end) for incident in current]
        changed = tuple(new for old, new in zip(incidents, current, strict=True) if new != old)
        return TrackedIncidents(
            incidents=(*_alive(current), *opened), changed=(*changed, *opened), opened=len(opened), levels=levels
        )

    def rearmed(
        self, levels: Mapping[Level, LevelTest], incidents: Sequence[IncidentRecord], history: Sequence[WindowRecord]
    ) -> dict[Level, Mapping[WatchKey, float]]:
        """The offsets of levels whose evidence starts anew while incidents are open, as after an upgrade.

        Returns:
            By level, how far each watch stands from its baseline since the first of the incidents; empty without any.
        """
        opened = min(
            (incident.window_start for incident in _alive(incidents) if incident.watch not in UNTESTED), default=None
        )
        if opened is None:
            return {level: {} for level in levels}
        since = [window for window in history if window.start >= opened]
        return {level: incident_offsets(test.tests, since, self.baseline) for level, test in levels.items()}

    def _new_facts(self, window: ScoredWindow, incidents: Sequence[IncidentRecord]) -> tuple[Finding, ...]:
        """The window's findings, without those that an open page of their watch tells: of losses, and of values."""
        paged = any(
            incident.level == "page"
            and (self._group(incident) == LOSS_GROUP or incident.fact in LOSS_FACTS | ROOTS_OF_LOSSES)
            for incident in _alive(incidents)
        ) or self._is_of_no_class(window)
        told = {
            (kind, incident.watch.removeprefix(prefix))
            for incident in incidents
            for kind, prefix in WATCHES_OF_VALUES.items()
            if incident.level == "page" and incident.state in ("open", "worse") and incident.watch.startswith(prefix)
        }
        return tuple(
            finding
            for finding in window.findings
            if not (paged and finding.kind in LOSS_FACTS) and (finding.kind, finding.feature) not in told
        )

    def _is_of_no_class(self, window: ScoredWindow) -> bool:
        """Whether labels of no class, each an error, leave the others as right as the baseline's worst window."""
        key, share = WatchKey(watch="error"), window.traffic.share_of_no_class
        limit, total = self._reference_fit.facts.gross.get(key), window.sums.get(key)
        if limit is None or total is None or not any(f.fact and f.kind == UNKNOWN_LABELS for f in window.findings):
            return False
        return total.mean <= share + (1.0 - share) * limit.baseline

    def _advance(
        self,
        incident: IncidentRecord,
        evidence: Mapping[Level, LevelEvidence],
        window: ScoredWindow,
        history: Sequence[WindowRecord],
        incidents: Sequence[IncidentRecord],
    ) -> IncidentRecord:
        """One incident after the window, of all. Windows of few rows count once they are pooled, as for opening."""
        if incident.state == "closed":  # by a person
            return replace(incident, closed_from="")
        if incident.watch == FACT_WATCH:
            enough_rows = window.rows >= max(evidence["page"].test.min_rows, 1)
            harmful = incident.has_evidence and is_harm_high(incident, history[-1], self.baseline, incidents)
            harmful = harmful or self._is_lasting(incident, window)
            return advance_fact_incident(
                incident, window.findings, window.traffic.window, enough_rows=enough_rows, harmful=harmful
            )
        key = WatchKey(watch=incident.watch, slice=incident.slice)
        tested = next(
            (
                level_evidence
                for level_evidence in evidence.values()
                if key in level_evidence.test.tests and level_evidence.score(key) is not None
            ),
            None,
        )
        if tested is None:
            return incident
        score = tested.test.adjusted_score(key, tested.score(key) or 0.0, window.phases)
        since = max((event.at for event in incident.history if event.state in TOLD), default=None)
        recent = score_excess(
            key, [window for window in history if since is None or window.start >= since], self.baseline
        )
        test = tested.test.tests[key]
        after = step_recovery(
            incident,
            test,
            score,
            threshold=evidence[incident.level].test.budget.threshold,
            now=window.traffic.window.end,
            recent=RecentScores(
                scores=tuple(test.mean + excess for excess in recent), tolerance=self._score_tolerance(key)
            ),
        )
        if after.state == "closed" and self._is_harm_still(incident, evidence, window, history):
            return replace(incident, recovery=after.recovery).entered("recovering", window.traffic.window.end)
        return after

    def _superseded(self, incident: IncidentRecord, opened: Sequence[IncidentRecord], now: datetime) -> IncidentRecord:
        """A notice of new or missing values, closed where pages that open now tell all of its inputs."""
        pages = [each for each in opened if each.level == "page"]
        features = (self._watches[page.watch].feature for page in pages if page.watch in self._watches)
        told = {*features, *(name for page in pages for name in page.subjects)}
        if incident.fact not in _MORE_VALUES or incident.state == "closed" or not told.issuperset(incident.subjects):
            return incident
        return replace(incident, closed_at=now).entered("closed", now)

    def _is_lasting(self, incident: IncidentRecord, window: ScoredWindow) -> bool:
        """Whether the values that a fact tells are not near the baseline again."""
        lasting = self._reference_fit.facts.lasting(window.sums)
        if incident.fact == OUT_OF_RANGE:
            outside = outside_inputs(self._catalogue.bins, window.traffic.answered.counts)
            lasting |= {(OUT_OF_RANGE, name) for name in outside}
        return any((incident.fact, subject) in lasting for subject in incident.subjects)

    def _assessed_again(
        self,
        incident: IncidentRecord,
        evidence: Mapping[Level, LevelEvidence],
        window: ScoredWindow,
        history: Sequence[WindowRecord],
    ) -> IncidentRecord:
        """An open incident with its cause by now: what explains it may show a few windows after the alarm."""
        key = WatchKey(watch=incident.watch, slice=incident.slice)
        if incident.state in ("closed", "recovering") or not history or score_of(history[-1], key) is None:
            return incident
        if self._watches[key.watch].feature or windows_since_news([incident], history) not in ASSESSED_AGAIN_AFTER:
            return incident
        alarm = self._alarm(evidence, incident.level, window, history)
        reading = replace(alarm.reading, shares=((key, 1.0),), alarm=True)
        alarm = replace(alarm, reading=reading, windows=tuple(history), offsets={})
        shifts = partial(window_shift, window, self._catalogue, self._reference_fit)
        alarm = with_explained_losses(alarm, window, self._catalogue, self._reference_fit)
        cause = explain(alarm, shifts)
        again = Reassessment(window=onset_of(history[-1], self.baseline.timezone), cause=cause.alarm)
        return assessed_again(incident, again, cause.detail)

    def _is_harm_still(
        self,
        incident: IncidentRecord,
        evidence: Mapping[Level, LevelEvidence],
        window: ScoredWindow,
        history: Sequence[WindowRecord],
    ) -> bool:
        """Whether the losses of the last windows on the slice of a page would be a page still."""
        if incident.level != "page" or self._group(incident) != LOSS_GROUP:
            return False
        alarm = self._alarm(evidence, "page", window, history[-HARM_WINDOWS:])
        key = WatchKey(watch=incident.watch, slice=incident.slice)
        return any(
            assess(replace(alarm, reading=replace(alarm.reading, shares=((each, 1.0),), alarm=True))).pages
            for each in (key, replace(key, watch=f"{MATERIAL}{loss_of(key.watch)}"))
            if each in self.baseline.scores
        )

    def _after_closings(self, level: LevelEvidence, incidents: Sequence[IncidentRecord]) -> LevelState:
        """The level with the watches of closed incidents tested against the baseline again.

        Not those of which an incident of this level is open still.
        """
        alive = {self._group(incident) for incident in _alive(incidents) if incident.level == level.test.level}
        closed = [incident for incident in incidents if incident.state == "closed"]
        over = {self._group(incident) for incident in closed} - alive - {""}
        facts = [incident for incident in closed if incident.watch == FACT_WATCH]
        fact_groups = {
            name for fact in facts for name in harm_groups_of_fact(fact, tuple(self._watches.values()))
        } - alive
        groups = {key: harm_group(self._watches[key.watch]) for key in level.test.tests}
        keys = [
            key
            for key, group in groups.items()
            if group in over or (group in fact_groups and key in level.state.offsets)
        ]
        if not keys:
            return level.state
        return level.test.restarted(level.state, offsets=dict.fromkeys(keys, 0.0), keys=keys)

    def _rearmed(
        self, alarm: Alarm, level: LevelEvidence, deserved: HarmAssessment, incidents: Sequence[IncidentRecord]
    ) -> LevelState:
        """The level after its alarm: watches are tested against the level that they have reached.

        All of them where the alarm is told as what the level is for. Where only a notice is worth it, the alarm stays
        and is assessed again in the next windows, since it may be the beginning of a harm; then the watches that made
        it are re-armed, and the others keep their evidence.
        """
        offsets = incident_offsets(level.test.tests, since_onset(alarm).windows, self.baseline)
        if deserved.level == level.test.level:
            return level.test.restarted(level.state, offsets=offsets)
        related = [incident for incident in _alive(incidents) if same_harm(incident, alarm.key, self._watches)]
        paged = any(incident.level == "page" for incident in related)
        if not paged and windows_since_news(related, alarm.windows) < ASSESSED_WINDOWS:
            return level.state
        keys = [key for key, share in alarm.reading.shares if share >= REARMED_SHARE]
        new_offsets = {key: offset for key, offset in offsets.items() if key in keys}
        return level.test.restarted(level.state, offsets=new_offsets, keys=keys)

    def _lowered(
        self, level: LevelEvidence, incidents: Sequence[IncidentRecord], history: Sequence[WindowRecord]
    ) -> LevelState:
        """The level with the offsets of harms that are partly gone lowered."""
        if not level.state.offsets or not level.state.windows:
            return level.state
        recent = history[-level.state.windows :]
        alive = [incident for incident in _alive(incidents) if incident.watch != SUBGROUP_WATCH]
        since = recent[len(recent) - windows_since_news(alive, recent) :]
        lower = lowered_offsets(level.state.offsets, level.test.tests, since, self.baseline)
        return level.test.restarted(level.state, offsets=lower, keys=tuple(lower)) if lower else level.state

    def _answer(
        self,
        alarm: Alarm,
        deserved: HarmAssessment,
        level: LevelEvidence,
        window: ScoredWindow,
        current: Sequence[IncidentRecord],
        number: int,
    ) -> tuple[dict[int, IncidentRecord], IncidentRecord | None]:
        """What an alarm does: makes an open incident of its harm worse, or opens one, or neither.

        A page that opens closes the notices of its harm, which it supersedes.
        """
        related = [incident for incident in _alive(current) if same_harm(incident, alarm.key, self._watches)]
        if not deserved.pages and level.test.level == "page" and is_told(related, alarm.windows):
            return {}, None
        alarm = location_first(alarm)
        shifts = partial(window_shift, window, self._catalogue, self._reference_fit)
        explained = with_explained_losses(alarm, window, self._catalogue, self._reference_fit)
        cause = explain(explained, shifts, reason=deserved.reason)
        facts = [
            incident
            for incident in _alive(current)
            if incident.watch == FACT_WATCH and (incident.level == "page" or deserved.level == "notice")
        ]
        told = partial(
            tells,
            alarm=since_onset(alarm),
            horizon=self._reference_fit.horizon,
            of_no_class=window.traffic.share_of_no_class,
        )
        fact = next(filter(told, facts), None)
        if fact is not None:
            if deserved.pages and not fact.has_evidence:
                fact = with_evidence(fact, with_rows(cause, alarm, window, self._catalogue))
            return {fact.number: fact}, None
        now = window.traffic.window.end
        tolerance = self._score_tolerance(alarm.key)
        rise = cause.rise / alarm.watch.scale
        recovery = begin_recovery(level.test.tests[alarm.key], rise, tolerance)
        same_level = [incident for incident in related if incident.level == deserved.level]
        if same_level:
            if deserved.pages and not self._is_above_benchmark(alarm):
                return {}, None
            first = same_level[0]
            is_same_watch = WatchKey(watch=first.watch, slice=first.slice) == alarm.key
            return {
                first.number: worsened(
                    first, recovery=recovery if is_same_watch else first.recovery, cause=cause.alarm, now=now
                )
            }, None
        superseded = [incident for incident in related if incident.level == "notice" and deserved.pages]
        cause = with_rows(cause, alarm, window, self._catalogue)
        new = new_incident(cause, deserved, window.traffic.window, recovery=recovery, number=number)
        return {
            incident.number: replace(incident, closed_at=now).entered("closed", now) for incident in superseded
        }, new

    def _is_above_benchmark(self, alarm: Alarm) -> bool:
        """Whether any loss of the alarm's rows lies above the benchmark in the last windows; true of other watches."""
        if alarm.watch.family not in LOSS_FAMILIES:
            return True
        losses = loss_changes(replace(alarm, windows=alarm.windows[-HARM_WINDOWS:]))
        return not losses or any(loss.rise > 0.0 for loss in losses)

    def _alarm(
        self,
        evidence: Mapping[Level, LevelEvidence],
        level: Level,
        window: ScoredWindow,
        history: Sequence[WindowRecord],
    ) -> Alarm:
        witness = self._reference_fit.witness
        state = evidence[level].state
        return Alarm(
            reading=evidence[level].reading,
            notice=evidence["notice"].reading,
            windows=tuple(history[-max(state.windows, 1) :]),
            baseline=self.baseline,
            drifted_pairs=() if witness is None else witness.pairs(window.state.recent, NAMED),
            offsets={key: offset * self._watches[key.watch].scale for key, offset in state.offsets.items()},
            waiting=state.pending,
            labels_expected=has_losses(history, self._watches),
        )

    def _group(self, incident: IncidentRecord) -> str:
        """The harm group of an incident; empty for one that a fact opened."""
        return harm_group(self._watches[incident.watch]) if incident.watch in self._watches else ""

    def _score_tolerance(self, key: WatchKey) -> float:
        return self.baseline.scores[key].tolerance / self._watches[key.watch].scale

    def _expected(self, key: WatchKey, start: datetime) -> float:
        """What the baseline expects of a watch in the window that begins at `start`, in the watch's own unit."""
        level = self._reference_fit.tests[self._watches[key.watch].level]
        seasonality = level.seasonality.get(key)
        offset = 0.0 if seasonality is None else seasonality.offset(self._phases(start))
        return self.baseline.scores[key].mean + offset * self._watches[key.watch].scale


def _alive(incidents: Sequence[IncidentRecord]) -> tuple[IncidentRecord, ...]:
    return tuple(incident for incident in incidents if incident.state != "closed")
