"""Incidents from window to window: those that are open are advanced, and alarms and facts open new ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from monitoring.evidence.level import LevelTest
from monitoring.incidents.alarm import Alarm, DeploymentBaseline
from monitoring.incidents.cause import Cause, explain
from monitoring.incidents.input_drift import NAMED
from monitoring.incidents.life_cycle import begin_recovery, step_recovery
from monitoring.judging.fact_incidents import FACT_WATCH, advance_fact_incident, open_fact_incidents
from monitoring.judging.fit.reference_fit import ReferenceFit
from monitoring.judging.level_evidence import LevelEvidence
from monitoring.judging.window_scorer import ScoredWindow
from monitoring.judging.worst_rows import worst_rows
from monitoring.records import LEVELS, IncidentRecord, Level, ScoreSum, WatchKey, WindowRecord
from monitoring.watches.catalogue import Catalogue


class IncidentTracker:
    """Advances, opens and closes the incidents of one deployment. The times of incidents are those of windows.

    Args:
        catalogue: The deployment's watches.
        reference_fit: The fitted baseline.
        timezone: IANA name of the zone in which messages name days.
        phases: The phase of the window that begins at a time, in each period.
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
        self._baseline = DeploymentBaseline(
            scores={WatchKey(watch=score.watch, slice=score.slice): score for score in reference_fit.baseline_scores()},
            losses=reference_fit.losses,
            watches=self._watches,
            expected=self._expected,
            thresholds={level: test.budget.threshold for level, test in reference_fit.tests.items()},
            timezone=timezone,
            embedding=catalogue.embedding is not None,
        )

    def advance(
        self, incidents: Sequence[IncidentRecord], tests: Mapping[Level, LevelTest], window: ScoredWindow
    ) -> tuple[IncidentRecord, ...]:
        """Advance each incident by one window.

        Args:
            incidents: The incidents that are not closed.
            tests: The test of each level.
            window: The window.

        Returns:
            The same incidents after the window, some of them closed.
        """
        return tuple(self._advance(incident, tests[incident.level], window) for incident in incidents)

    def open(
        self,
        evidence: Mapping[Level, LevelEvidence],
        window: ScoredWindow,
        history: Sequence[WindowRecord],
        *,
        current: Sequence[IncidentRecord],
        first_number: int,
    ) -> tuple[IncidentRecord, ...]:
        """Open an incident for each kind of new fact, and for each level that alarms and has no open incident.

        Args:
            evidence: Each level after the window.
            window: The window.
            history: The windows so far; the last is this one.
            current: The incidents that are not closed.
            first_number: The number of the next incident.

        Returns:
            The new incidents: facts first, then pages, then notices.
        """
        opened = list(
            open_fact_incidents(window.findings, window.traffic.window, current=current, first_number=first_number)
        )
        busy = {incident.level for incident in current if incident.watch != FACT_WATCH}
        for level in LEVELS:
            if evidence[level].reading.alarm and level not in busy:
                opened.append(self._opened(evidence, level, window, history, first_number + len(opened)))
        return tuple(opened)

    def _advance(self, incident: IncidentRecord, level: LevelTest, window: ScoredWindow) -> IncidentRecord:
        if incident.watch == FACT_WATCH:
            enough_rows = window.rows >= max(level.min_rows, 1)
            return advance_fact_incident(incident, window.findings, window.traffic.window, enough_rows=enough_rows)
        key = WatchKey(watch=incident.watch, slice=incident.slice)
        total = window.sums.get(key, ScoreSum())
        if total.rows < max(level.min_rows, 1):
            return incident
        score = level.adjusted_score(key, total.mean, window.phases)
        threshold = level.budget.threshold
        return step_recovery(incident, level.tests[key], score, threshold=threshold, now=window.traffic.window.end)

    def _opened(
        self,
        evidence: Mapping[Level, LevelEvidence],
        level: Level,
        window: ScoredWindow,
        history: Sequence[WindowRecord],
        number: int,
    ) -> IncidentRecord:
        cause = self._explain(evidence, level, window, history)
        key = WatchKey(watch=cause.watch, slice=cause.slice)
        rise = cause.rise / self._watches[cause.watch].scale
        batches = window.traffic.batches
        rows = worst_rows(key, self._catalogue, labelled=batches.labelled, answered=batches.answered)
        return IncidentRecord(
            number=number,
            level=level,
            state="open",
            opened_at=window.traffic.window.end,
            window_start=window.traffic.window.start,
            window_end=window.traffic.window.end,
            watch=cause.watch,
            slice=cause.slice,
            cause=cause.cause,
            message=cause.message,
            recovery=begin_recovery(evidence[level].test.tests[key], rise),
            detail=replace(cause.detail, rows=rows),
        )

    def _explain(
        self,
        evidence: Mapping[Level, LevelEvidence],
        level: Level,
        window: ScoredWindow,
        history: Sequence[WindowRecord],
    ) -> Cause:
        witness = self._reference_fit.witness
        return explain(
            Alarm(
                reading=evidence[level].reading,
                notice=evidence["notice"].reading,
                windows=tuple(history[-evidence[level].state.windows :]),
                baseline=self._baseline,
                drifted_pairs=() if witness is None else witness.pairs(window.state.recent, NAMED),
            )
        )

    def _expected(self, key: WatchKey, start: datetime) -> float:
        """What the baseline expects of a watch in the window that begins at `start`, in the watch's own unit."""
        level = self._reference_fit.tests[self._watches[key.watch].level]
        seasonality = level.seasonality.get(key)
        offset = 0.0 if seasonality is None else seasonality.offset(self._phases(start))
        return self._baseline.scores[key].mean + offset * self._watches[key.watch].scale
