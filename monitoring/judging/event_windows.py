"""Windows of expected events: which event a window's rows and labels belong to, and how its watches are tested."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from monitoring.evidence.level import LevelTest
from monitoring.judging.level_evidence import LevelEvidence
from monitoring.judging.window.event_scores import EventReference
from monitoring.judging.window.window_sums import LabelledSums
from monitoring.records import EXPECTED_EVENT, SCORE_ONE, Finding, ScoreSum, Watch, WatchKey, WindowRecord
from monitoring.timestamps import as_datetime
from monitoring.traffic.expected_events import EventCalendar, ExpectedEvent

#: The kind of the finding of a window whose labels are of an event's rows.
LABELS_KIND = "labels of an expected event"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowEvents:
    """The expected events of one window: of its answered rows, and of the rows whose labels arrived in it."""

    answered: ExpectedEvent | None = None
    labelled: ExpectedEvent | None = None

    def of(self, watch: Watch) -> ExpectedEvent | None:
        """The event that a watch's score is of; None for ordinary traffic."""
        return self.labelled if watch.needs_label else self.answered

    def findings(self, reference: Callable[[ExpectedEvent], EventReference]) -> tuple[Finding, ...]:
        """What the window's record says of its events."""
        pairs = [(EXPECTED_EVENT, self.answered)]
        if self.labelled != self.answered:
            pairs.append((LABELS_KIND, self.labelled))
        return tuple(
            Finding(kind=kind, feature=event.name, message=_message(kind, event, reference(event)))
            for kind, event in pairs
            if event is not None
        )


NO_WINDOW_EVENTS = WindowEvents()


def _message(kind: str, event: ExpectedEvent, reference: EventReference) -> str:
    what = f"expected: {event.name}" if kind == EXPECTED_EVENT else f"most labels are of rows of {event.name}"
    if reference.is_known:
        return f"{what}; compared with its {reference.occurrences} earlier occurrences"
    times = "not been seen" if not reference.occurrences else "been seen once"
    return f"{what}; shown and not tested, as it has {times} before"


def labels_of_one_event(
    labelled: LabelledSums, calendar: EventCalendar, length: timedelta
) -> tuple[LabelledSums, ExpectedEvent | None]:
    """The labels of ordinary rows or of one event's rows, whichever are most; the others are left out of all losses.

    Args:
        length: The length of a window, of which `labelled` has the starts only.

    Returns:
        The labels, and the event of their rows; None for ordinary rows.
    """
    if not calendar.sources or not labelled.tallies:
        return labelled, None
    starts: dict[ExpectedEvent | None, list[int]] = {}
    for start in labelled.tallies:
        begin = as_datetime(start)
        starts.setdefault(calendar.at(begin, begin + length), []).append(start)
    rows = {
        event: sum(labelled.tallies[start].number("rows") for start in windows) for event, windows in starts.items()
    }
    most = max(starts, key=lambda event: rows[event])
    return (labelled if len(starts) == 1 else labelled.of_windows(starts[most])), most


def tested_scores(
    test: LevelTest,
    sums: Mapping[WatchKey, ScoreSum],
    references: Mapping[WatchKey, EventReference],
    phases: Mapping[str, int],
) -> dict[WatchKey, float | None]:
    """The scores that stand for those of an event's window in a level's test.

    Returns:
        By watch: the score of an ordinary window that is as far from its baseline; None where it is not tested.
    """
    scores: dict[WatchKey, float | None] = {}
    for key, reference in references.items():
        total = sums.get(key, ScoreSum())
        score = None
        if key in test.tests and total.rows >= test.rows_needed(key):
            score = reference.adjusted(key, total.mean, test.tests[key])
        cycle = test.seasonality[key].offset(phases) if key in test.seasonality else 0.0
        scores[key] = None if score is None else score + cycle
    return scores


def replaced_sums(
    sums: Mapping[WatchKey, ScoreSum], tested: Mapping[WatchKey, float | None]
) -> dict[WatchKey, ScoreSum]:
    """The score sums that a level's test takes: of ordinary scores, and of those that stand for an event's."""
    sums_after = {key: total for key, total in sums.items() if key not in tested}
    for key, score in tested.items():
        if score is not None:
            sums_after[key] = ScoreSum(sums[key].rows, round(score * sums[key].rows * SCORE_ONE))
    return sums_after


def with_own_scores(
    level: LevelEvidence, sums: Mapping[WatchKey, ScoreSum], tested: Mapping[WatchKey, float | None]
) -> LevelEvidence:
    """A level whose reading shows the window's own scores, where others stood for them in the test."""
    readings = []
    for watch in level.reading.watches:
        total = sums.get(watch.key, ScoreSum())
        if watch.key in tested:
            enough = total.rows >= level.test.rows_needed(watch.key)
            watch = replace(watch, rows=total.rows, score=total.mean if enough else None)  # noqa: PLW2901 - the same watch
        readings.append(watch)
    return replace(level, reading=replace(level.reading, watches=tuple(readings)), tested=tested)


def tested_record(
    record: WindowRecord, tested: Mapping[WatchKey, float | None], watches: Mapping[str, Watch]
) -> WindowRecord:
    """A window's record as incidents see it: with the scores that were tested, none where none was."""
    if not tested:
        return record
    scores = []
    for score_record in record.scores:
        key = WatchKey(watch=score_record.watch, slice=score_record.slice)
        score = tested.get(key)
        value = None if score is None else watches[score_record.watch].value(score)
        scores.append(replace(score_record, value=value) if key in tested else score_record)
    return replace(record, scores=tuple(scores))


def ordinary_history(history: Sequence[WindowRecord], watches: Mapping[str, Watch]) -> tuple[WindowRecord, ...]:
    """Windows without the scores that are of an expected event: what later windows are compared with."""
    return tuple(_ordinary(record, watches) for record in history)


def _ordinary(record: WindowRecord, watches: Mapping[str, Watch]) -> WindowRecord:
    kinds = {finding.kind for finding in record.findings}
    if EXPECTED_EVENT in kinds:
        return replace(record, scores=tuple(replace(score, value=None) for score in record.scores))
    if LABELS_KIND in kinds:
        scores = (replace(score, value=None) if watches[score.watch].needs_label else score for score in record.scores)
        return replace(record, scores=tuple(scores))
    return record
