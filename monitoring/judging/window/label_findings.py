"""Labels that cannot be used: of an unknown class, or of no known prediction."""

from __future__ import annotations

from dataclasses import dataclass

from monitoring.records import Finding

#: Classes that a message names.
_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownClassLabels:
    """Labels that name no class: how many, and their words.

    >>> one = UnknownClassLabels(labels=2, words=frozenset({"yes", "no"}))
    >>> (one + UnknownClassLabels(labels=1, words=frozenset({"maybe"}))).findings(("0", "1"))[0].message
    "3 labels name none of the classes 0, 1, and do not count; one is 'maybe'."
    """

    labels: int = 0
    words: frozenset[str] = frozenset()

    def __add__(self, other: UnknownClassLabels) -> UnknownClassLabels:
        return UnknownClassLabels(labels=self.labels + other.labels, words=self.words | other.words)

    def findings(self, classes: tuple[str, ...]) -> tuple[Finding, ...]:
        """The finding that there are some, with the first of their words in the order of text."""
        if not self.labels:
            return ()
        known = ", ".join(classes[:_SHOWN]) + (", …" if len(classes) > _SHOWN else "")
        one = min(self.words)[:60]
        message = f"{self.labels:,} labels name none of the classes {known}, and do not count; one is {one!r}."
        if self.labels == 1:
            message = f"1 label names none of the classes {known}, and does not count: {one!r}."
        return (Finding(kind="unknown labels", feature="", message=message),)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmatchedLabels:
    """Labels that name no prediction that is known: how many, and the id that one of them gives.

    >>> (UnmatchedLabels(labels=2, one="7.0") + UnmatchedLabels(labels=1, one="8.0")).findings(2)[0].message
    "3 labels name no known prediction; one is '7.0'."
    """

    labels: int = 0
    one: str = ""

    def __add__(self, other: UnmatchedLabels) -> UnmatchedLabels:
        return UnmatchedLabels(
            labels=self.labels + other.labels, one=min(filter(None, (self.one, other.one)), default="")
        )

    def findings(self, joined: int) -> tuple[Finding, ...]:
        """The finding that they are most of a window's labels, `joined` of which were of known predictions."""
        if self.labels <= joined:
            return ()
        message = f"{self.labels:,} labels name no known prediction; one is {self.one[:60]!r}."
        if self.labels == 1:
            message = f"1 label names no known prediction: {self.one[:60]!r}."
        return (Finding(kind="unknown predictions", feature="", message=message),)
