"""The state that passes from one window to the next, and its texts for the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from monitoring.evidence.level import LevelState
from monitoring.incidents.alarm import HISTORY
from monitoring.judging.burn_in import BurnIn
from monitoring.judging.facts.input_values import WindowValues
from monitoring.judging.facts.label_facts import LabelRuns
from monitoring.judging.facts.usual_level import UsualLevels
from monitoring.judging.label_silence import LabelSilence
from monitoring.judging.window.event_scores import EventScores
from monitoring.judging.window_scorer import ScoringState
from monitoring.records import JUDGED_AGAIN, LEVELS, EstimateRecord, IncidentRecord, Level, WatchKey, WindowRecord
from monitoring.records.state_names import (
    AWAITED,
    BURN_IN,
    COMPARED,
    EVENTS,
    FIRST_LABELS,
    LABEL_RUNS,
    LABEL_SILENCE,
    LAST_VALUES,
    USUAL_LEVELS,
    WITNESS,
    StateName,
)
from monitoring.watches.early_labels import COMPLETE, EarlyLabels
from monitoring.watches.joint import RecentWindows
from monitoring.watches.label_coverage import PendingLabels

#: No closed incident on any watch.
NO_INCIDENTS: Mapping[WatchKey, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeState:
    """All that passes from one window to the next."""

    levels: Mapping[Level, LevelState] = field(default_factory=dict)
    incidents: tuple[IncidentRecord, ...] = ()
    next_number: int = 1
    closed: Mapping[WatchKey, int] = field(default_factory=dict)
    history: tuple[WindowRecord, ...] = ()
    scoring: ScoringState = field(default_factory=ScoringState)
    events: EventScores = field(default_factory=EventScores)
    burn_in: BurnIn = field(default_factory=BurnIn)

    @property
    def estimates(self) -> tuple[EstimateRecord, ...]:
        """The estimates of the last window."""
        return self.history[-1].estimates if self.history else ()

    def history_with(self, record: WindowRecord) -> tuple[WindowRecord, ...]:
        """The history after one more window."""
        return (*self.history, record)[-HISTORY:]

    def to_texts(self) -> dict[StateName, str]:
        """What is stored of it beside its windows and incidents, by name; `from_texts` takes it up."""
        scoring = self.scoring
        return {
            **{level: state.to_text() for level, state in self.levels.items()},
            WITNESS: scoring.recent.to_text(),
            AWAITED: scoring.pending_labels.to_text(),
            FIRST_LABELS: scoring.early_labels.to_text(),
            LABEL_RUNS: scoring.label_runs.to_text(),
            LABEL_SILENCE: scoring.label_silence.to_text(),
            USUAL_LEVELS: scoring.usual.to_text(),
            LAST_VALUES: scoring.last_values.to_text(),
            COMPARED: scoring.statistics,
            EVENTS: self.events.to_text(),
            **({} if self.burn_in.until is None else {BURN_IN: self.burn_in.to_text()}),
        }

    @classmethod
    def from_texts(
        cls,
        texts: Mapping[StateName, str],
        *,
        incidents: Sequence[IncidentRecord] = (),
        history: tuple[WindowRecord, ...] = (),
        begun: bool = True,
    ) -> JudgeState:
        """Take up what was stored; names that are missing, as in stores of earlier versions, begin anew.

        Args:
            incidents: All incidents; those whose windows are judged again are no earlier ones of new incidents.
            begun: Whether a window was judged; its early labels are then complete where their state is missing.

        Returns:
            The state, without the incidents that are not closed, which are read before each window.
        """
        early = texts.get(FIRST_LABELS)
        complete = COMPLETE if begun else EarlyLabels()
        return cls(
            levels={level: LevelState.from_text(texts[level]) for level in LEVELS if level in texts},
            next_number=max((incident.number for incident in incidents), default=0) + 1,
            closed=last_closed([incident for incident in incidents if incident.closed_from != JUDGED_AGAIN]),
            history=history,
            scoring=ScoringState(
                recent=RecentWindows.from_text(texts.get(WITNESS, "")),
                pending_labels=PendingLabels.from_text(texts.get(AWAITED, "")),
                early_labels=complete if early is None else EarlyLabels.from_text(early),
                label_runs=LabelRuns.from_text(texts.get(LABEL_RUNS, "")),
                label_silence=LabelSilence.from_text(texts.get(LABEL_SILENCE, "")),
                usual=UsualLevels.from_text(texts.get(USUAL_LEVELS, "")),
                last_values=WindowValues.from_text(texts.get(LAST_VALUES, "")),
                statistics=texts.get(COMPARED, ""),
            ),
            events=EventScores.from_text(texts.get(EVENTS, "")),
            burn_in=BurnIn.from_text(texts.get(BURN_IN, "")),
        )


def last_closed(
    incidents: Sequence[IncidentRecord], before: Mapping[WatchKey, int] = NO_INCIDENTS
) -> dict[WatchKey, int]:
    """The number of the last closed incident on each watch and slice."""
    numbers = dict(before)
    for incident in incidents:
        if incident.state == "closed":
            key = WatchKey(watch=incident.watch, slice=incident.slice)
            numbers[key] = max(incident.number, numbers.get(key, 0))
    return numbers
