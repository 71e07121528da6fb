"""Findings about labels and ids in sentences, of their parts."""

from __future__ import annotations

from monitoring.records.finding_parts import (
    JumpedShare,
    JumpedShares,
    LabelParts,
    LateLabels,
    LostClass,
    LostClasses,
    OutputClasses,
    StoppedLabels,
    UnknownClasses,
    UnusualShare,
)
from monitoring.watches.descriptions import format_value, printable, watch_title

_UNITS = (("day", 86_400_000_000), ("hour", 3_600_000_000), ("minute", 60_000_000), ("second", 1_000_000))


def label_text(parts: LabelParts) -> str:
    """What is wrong with labels, or with the ids by which they are joined."""
    match parts:
        case LostClasses() as lost:
            more = f"; and {lost.more} more classes" if lost.more else ""
            return f"{'; '.join(map(_lost_class, lost.classes))}{more}."
        case JumpedShares(shares=shares):
            return f"{'; '.join(map(_jumped_share, shares))}."
        case UnusualShare() as unusual:
            return _unusual_share(unusual)
        case UnknownClasses() as unknown:
            return _unknown_classes(unknown)
        case LateLabels() as late:
            return _late_labels(late)
        case StoppedLabels(silence_us=silence, longest_us=longest):
            usual = f"; the longest time without one before was {duration_words(longest)}" if longest else ""
            since = duration_words(silence)
            return f"No label of a known prediction has arrived for {since}{usual}. Losses are not judged."


def duration_words(us: int) -> str:
    """Write a duration in the largest unit of which it is a whole number.

    >>> duration_words(7 * 86_400_000_000), duration_words(5_400_000_000)
    ('7 days', '90 minutes')
    """
    for name, unit in _UNITS:
        count, rest = divmod(us, unit)
        if count and not rest:
            return f"{count:,} {name}{'s' if count > 1 else ''}"
    return f"{us / 1_000_000} seconds"


def _unknown_classes(unknown: UnknownClasses) -> str:
    count = "1 label is" if unknown.labels == 1 else f"{unknown.labels:,} labels are"
    if unknown.outputs:
        return _unknown_of_outputs(unknown)
    if not unknown.classes:
        return (
            f"1 label is no number, and is ignored: {unknown.example!r}."
            if unknown.labels == 1
            else f"{unknown.labels:,} labels are no numbers, and are ignored; one is {unknown.example!r}."
        )
    names = ", ".join(_names(unknown))
    return f"{count} none of the classes {names}, so the model was wrong there; one is {unknown.example!r}."


def _unknown_of_outputs(unknown: UnknownClasses) -> str:
    """What is wrong with labels that should be objects with a part for each output."""
    expected = ", ".join(f'"{output.name}": {" | ".join(_names(output)) or "a number"}' for output in unknown.outputs)
    if unknown.labels == 1:
        what = (
            "1 label names no class of an output, and counts as wrong there; it is"
            if unknown.of_output
            else "1 label is of none of the outputs, and is ignored; it is"
        )
    elif unknown.of_output:
        what = f"{unknown.labels:,} labels name no class of an output, and count as wrong there; one is"
    else:
        what = f"{unknown.labels:,} labels are of none of the outputs, and are ignored; one is"
    return f"{what} {unknown.example!r}. One like {{{expected}}} is expected."


def _names(of: UnknownClasses | OutputClasses) -> tuple[str, ...]:
    """The class names that a finding has, and a sign for the others."""
    return (*of.classes, "…") if of.more else of.classes


def _late_labels(late: LateLabels) -> str:
    horizon = f"label_horizon ({duration_words(late.horizon_us)})"
    if late.counted is not None:
        return (
            f"{late.counted:,} of {late.counted + late.labels:,} labels that arrived counted; the others arrived later "
            f"than {horizon} after their predictions. Without them losses are not judged: raise label_horizon."
        )
    if late.labels == 1:
        return f"1 label arrived later than {horizon} after its prediction, and is ignored."
    return f"{late.labels:,} labels arrived later than {horizon} after their predictions, and are ignored."


def _lost_class(lost: LostClass) -> str:
    return (
        f"{watch_title(lost.watch)}: none among the last {lost.labels:,} labels; {lost.share * lost.labels:,.0f} were "
        f"to be expected ({format_value(lost.watch, lost.share)} in the baseline)"
    )


def _jumped_share(jumped: JumpedShare) -> str:
    if jumped.of_numbers:
        return _moved_numbers(jumped)
    now, answered, low, high = (
        format_value(jumped.watch, value) for value in (jumped.share, jumped.answered, jumped.low, jumped.high)
    )
    return (
        f"{watch_title(jumped.watch)} {now} of {jumped.labels:,} labels; the baseline's {jumped.windows} windows lie "
        f"between {low} and {high}, and the answers to these rows say {answered}"
    )


def _moved_numbers(jumped: JumpedShare) -> str:
    """Labels that are numbers, of a model or of one of its outputs: how many of the baseline's one exceeds on average.

    >>> shares = {"share": 0.64, "answered": 0.52, "low": 0.47, "high": 0.54, "of_numbers": True}
    >>> _moved_numbers(JumpedShare(watch="label:price:location", labels=300, windows=90, **shares))[:68]
    'labels price are higher: on average one exceeds 64 % of the baseline'
    """
    name = f" {printable(jumped.watch.removeprefix('label:').removesuffix('location').removesuffix(':'))}".rstrip()
    now, answered, low, high = (
        f"{100 * value:.0f}" for value in (jumped.share, jumped.answered, jumped.low, jumped.high)
    )
    return (
        f"labels{name} are {'higher' if jumped.share > jumped.high else 'lower'}: on average one exceeds "
        f"{now} % of the baseline's ({jumped.labels:,} labels); in the baseline's {jumped.windows} windows it is {low} "
        f"to {high} %, and by the answers to these rows {answered} %"
    )


def _unusual_share(unusual: UnusualShare) -> str:
    most = f"in the windows before at most {100.0 * unusual.worst:.1f} %"
    if unusual.of == "labels without predictions":
        return (
            f"{unusual.count:,} of {unusual.rows:,} labels that arrived are of no known prediction; {most} were: the "
            "traffic lost predictions, or labels have other ids."
        )
    return (
        f"{unusual.count:,} of {unusual.rows:,} predictions have the id of another and were dropped; {most} had: "
        "clients send requests again, or ids are not unique."
    )
