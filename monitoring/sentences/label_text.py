"""Findings about labels and ids in sentences, of their parts."""

from __future__ import annotations

from monitoring.records.finding_parts import JumpedShare, JumpedShares, LabelParts, LostClass, LostClasses, UnusualShare
from monitoring.watches.descriptions import format_value, watch_title


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


def _lost_class(lost: LostClass) -> str:
    return (
        f"{watch_title(lost.watch)}: none among the last {lost.labels:,} labels; {lost.share * lost.labels:,.0f} were "
        f"to be expected ({format_value(lost.watch, lost.share)} in the baseline)"
    )


def _jumped_share(jumped: JumpedShare) -> str:
    now, answered, low, high = (
        format_value(jumped.watch, value) for value in (jumped.share, jumped.answered, jumped.low, jumped.high)
    )
    return (
        f"{watch_title(jumped.watch)} {now} of {jumped.labels:,} labels; the baseline's {jumped.windows} windows lie "
        f"between {low} and {high}, and the answers to these rows say {answered}"
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
