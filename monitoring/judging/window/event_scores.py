"""The scores of windows in expected events: an event that was seen twice has a reference of its own."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from monitoring.evidence.conformal import ConformalTest
from monitoring.records import WatchKey
from monitoring.traffic.expected_events import ExpectedEvent

#: Earlier occurrences, and scores of a watch in them, that an event's own reference needs.
MIN_OCCURRENCES = 2
MIN_SCORES = 2

#: Occurrences that are kept of each event, the last ones, and windows of each.
MAX_OCCURRENCES = 5
MAX_WINDOWS = 100

Scores = Mapping[WatchKey, tuple[float, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventReference:
    """What an event's earlier occurrences were like: their number, and the scores of each watch in all their windows.

    >>> EventReference(occurrences=1, scores={}).is_known
    False
    """

    occurrences: int
    scores: Scores

    @property
    def is_known(self) -> bool:
        """Whether windows of the event are judged."""
        return self.occurrences >= MIN_OCCURRENCES

    def adjusted(self, key: WatchKey, score: float, test: ConformalTest) -> float | None:
        """A score of the event as an ordinary window would have it that is as far from its own reference.

        The deviation from the event's mean is taken in units of the event's standard deviation, at least the
        baseline's, and of the error of a mean of so few windows.

        Returns:
            The score to test; None where the event is not known well enough.
        """
        earlier = np.asarray(self.scores.get(key, ()))
        if not self.is_known or earlier.size < MIN_SCORES:
            return None
        spread = max(test.std, float(earlier.std(ddof=1))) * math.sqrt(1.0 + 1.0 / earlier.size)
        return test.mean + (score - float(earlier.mean())) * test.std / spread


@dataclass(frozen=True, slots=True, kw_only=True)
class EventScores:
    """Scores of windows in expected events, by the event's name, the start of the occurrence, and the watch.

    >>> EventScores.from_text(EventScores().to_text()) == EventScores()
    True
    """

    occurrences: Mapping[str, Mapping[datetime, Scores]] = field(default_factory=dict)

    def with_window(self, event: ExpectedEvent, scores: Mapping[WatchKey, float]) -> EventScores:
        """The scores with those of one more window of an event."""
        occurrences = dict(self.occurrences.get(event.name, {}))
        before = occurrences.get(event.start, {})
        occurrences[event.start] = {
            **before,
            **{key: (*before.get(key, ()), score)[-MAX_WINDOWS:] for key, score in scores.items()},
        }
        latest = {start: occurrences[start] for start in sorted(occurrences)[-MAX_OCCURRENCES:]}
        return EventScores(occurrences={**self.occurrences, event.name: latest})

    def reference(self, event: ExpectedEvent, baseline: EventScores) -> EventReference:
        """What is known of an event from its occurrences before this one."""
        occurrences = {**baseline.occurrences.get(event.name, {}), **self.occurrences.get(event.name, {})}
        earlier = [scores for start, scores in occurrences.items() if start < event.start]
        keys = {key for scores in earlier for key in scores}
        joined = {key: tuple(value for scores in earlier for value in scores.get(key, ())) for key in keys}
        return EventReference(occurrences=len(earlier), scores=joined)

    def to_text(self) -> str:
        """The scores as a JSON document, floats as exact hexadecimal text."""
        return json.dumps(
            {
                name: {
                    start.isoformat(): [
                        [key.watch, key.slice, *(value.hex() for value in scores[key])]
                        for key in sorted(scores, key=str)
                    ]
                    for start, scores in starts.items()
                }
                for name, starts in self.occurrences.items()
            }
        )

    @classmethod
    def from_text(cls, text: str) -> EventScores:
        """The inverse of `to_text`; no scores where the text is empty."""
        document = json.loads(text) if text else {}
        return cls(
            occurrences={
                name: {
                    datetime.fromisoformat(start): {
                        WatchKey(watch=watch, slice=part): tuple(float.fromhex(value) for value in values)
                        for watch, part, *values in scores
                    }
                    for start, scores in starts.items()
                }
                for name, starts in document.items()
            }
        )
