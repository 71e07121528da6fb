"""The rows of one window, as they come from traffic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from monitoring.baseline.batch import Batch, in_batches
from monitoring.baseline.predictions import Predictions
from monitoring.records import Finding

#: Classes that a message names.
_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a pass over a window's rows found out: repeats dropped, broken inputs, labels of no class, and the rest."""

    repeats: int = 0
    problems: tuple[tuple[str, str], ...] = ()
    unknown: int = 0
    findings: tuple[Finding, ...] = ()


def about_labels(count: int, words: Iterable[str], classes: tuple[str, ...]) -> tuple[Finding, ...]:
    """The finding that so many labels name no class, with the first of their words in the order of text.

    >>> about_labels(2, {"yes", "no"}, ("0", "1"))[0].message
    "2 labels name none of the classes 0, 1, and do not count; one is 'no'."
    """
    if not count:
        return ()
    known = ", ".join(classes[:_SHOWN]) + (", …" if len(classes) > _SHOWN else "")
    message = f"{count} labels name none of the classes {known}, and do not count; one is {min(words)[:60]!r}."
    return (Finding(kind="unknown labels", feature="", message=message),)


class WindowRows(Protocol):
    """The rows of one window. `labelled_beside` says that their own labels count with them."""

    @property
    def labelled_beside(self) -> bool:
        """Whether the rows' labels stand beside them, became known with them, and are in no label log."""

    def batches(self) -> Iterator[Batch]:
        """The rows, each once, in any order; as often as it is asked for."""

    def counted(self) -> Iterator[Batch]:
        """The same, once, to be judged: that the labels beside the rows were counted is remembered at its end."""

    def whole(self) -> Predictions:
        """All of the rows in memory, with the labels beside them that were counted."""

    def found(self) -> Found:
        """What the last pass over all of them found out."""


class HeldRows:
    """Rows in memory, without labels. A `WindowRows`."""

    labelled_beside = False

    def __init__(self, predictions: Predictions, repeats: int, findings: Callable[[], tuple[Finding, ...]]) -> None:
        self._predictions = predictions
        self._repeats = repeats
        self._findings = findings

    def batches(self) -> Iterator[Batch]:
        """See `WindowRows`."""
        return in_batches(self._predictions)

    def counted(self) -> Iterator[Batch]:
        """See `WindowRows`."""
        return self.batches()

    def whole(self) -> Predictions:
        """See `WindowRows`."""
        return self._predictions

    def found(self) -> Found:
        """See `WindowRows`."""
        return Found(repeats=self._repeats, problems=self._predictions.problems, findings=self._findings())
