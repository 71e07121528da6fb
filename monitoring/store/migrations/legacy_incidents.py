"""Incidents of stores from before release 0.1.0, whose state was in their sentences: read once, at the conversion.

What they said stays as it was worded. What the monitor goes by becomes typed: the fact, whether an alarm had added its
evidence, and whether the losses had fallen.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from monitoring.records import FACT_SEPARATOR, FACT_WATCH, Diagnosis, LegacyCause

#: What separated the parts of a message, and ended the causes of alarms about losses that had fallen.
_STEP = " Next step: "
_WORSE = " Worse since: "
_AGAIN = " Assessed again "
_EVIDENCE = "Evidence of the watches: "
_LOSSES = "losses"
_BETTER = ": better than the benchmark"


def legacy_diagnoses(
    *, watch: str, slice_: str, cause: str, message: str, opened_at: datetime, worse_at: tuple[datetime, ...] = ()
) -> tuple[Diagnosis, ...]:
    """What an incident said when it was opened, and each time that it became worse.

    Args:
        worse_at: When it became worse, in order; of a message that says it oftener the last time counts for the others.

    >>> opened = datetime(2013, 4, 9)
    >>> [diagnosis] = legacy_diagnoses(
    ...     watch="error", slice_="", cause="It rose", message="It rose. Next step: look.", opened_at=opened
    ... )
    >>> diagnosis.cause.headline, diagnosis.cause.text, diagnosis.cause.step
    ('It rose', '', 'look.')
    """
    is_fact = watch == FACT_WATCH
    times = (opened_at, *worse_at)
    causes = tuple(_causes(cause, message))
    opening = LegacyCause(
        line=_line(slice_, cause, message) if is_fact else cause,
        headline=causes[0].headline,
        text=causes[0].text,
        step=causes[0].step,
        again=causes[0].again,
        fact=cause if is_fact else "",
        subjects=tuple(slice_.split(FACT_SEPARATOR)) if is_fact else (),
        has_evidence=is_fact and _EVIDENCE in message,
        is_improvement=not is_fact and cause.endswith(_BETTER),
    )
    return tuple(
        Diagnosis(at=times[min(place, len(times) - 1)], cause=each) for place, each in enumerate((opening, *causes[1:]))
    )


def _line(slice_: str, cause: str, message: str) -> str:
    """A fact in short: of losses in the user's metric, which the message begins with."""
    loss, semicolon, _ = message.partition(";")
    return f"{loss}: {cause}" if slice_ == _LOSSES and semicolon else cause


def _causes(cause: str, message: str) -> Iterator[LegacyCause]:
    """What each part of a message said; the last step counts."""
    parts = [part.rpartition(_STEP) if _STEP in part else (part, "", "") for part in message.split(_WORSE)]
    step = next((step for _, _, step in reversed(parts) if step), "")
    for place, (text, _, _) in enumerate(parts):
        said, _, again = text.partition(_AGAIN)
        headline = _headline(cause, said) if place == 0 else ""
        yield LegacyCause(
            headline=headline,
            text=said[len(headline) + 1 :].strip() if headline else said,
            again=again,
            step=step if place == len(parts) - 1 else "",
        )


def _headline(cause: str, text: str) -> str:
    """The first sentence of a text, where the cause begins with it."""
    for sentence in (cause, cause.rpartition(": ")[0]):
        if sentence and (text == f"{sentence}." or text.startswith(f"{sentence}. ")):
            return sentence
    return ""
