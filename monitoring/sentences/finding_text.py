"""Findings in sentences, of their parts."""

from __future__ import annotations

from monitoring.records import Finding
from monitoring.records.finding_parts import (
    FewLabels,
    LabelParts,
    LastingVolume,
    RowVolume,
    TableParts,
    ValueParts,
    VolumeParts,
)
from monitoring.records.loss_parts import AnswerLean, BetterLoss, LossOutlier, LossParts, LossProof, LossRange
from monitoring.records.rule_parts import BrokenRule
from monitoring.sentences.label_text import label_text
from monitoring.sentences.rule_text import breach_text
from monitoring.sentences.table_text import table_text
from monitoring.sentences.value_text import unit_change, value_text
from monitoring.watches.descriptions import format_move, format_value, lower_first, watch_title


def finding_text(finding: Finding) -> str:
    """What a finding says; of a finding without parts its message, as it was worded.

    >>> parts = RowVolume(rows=0, usual=400.0)
    >>> finding_text(Finding(kind="traffic volume", feature="row count", fact=True, parts=parts))
    'No rows arrived; 400 are usual for this window.'
    """
    return _worded(finding)


def _worded(finding: Finding) -> str:
    parts = finding.parts
    if parts is None:
        return finding.message
    if isinstance(parts, ValueParts):
        return value_text(finding.feature, parts)
    if isinstance(parts, LabelParts):
        return label_text(parts)
    if isinstance(parts, TableParts):
        return table_text(finding.feature, parts)
    if isinstance(parts, BrokenRule):
        return f"The rule {parts.rule!r} is broken: {breach_text(parts.breach)}."
    return _loss_text(parts) if isinstance(parts, LossParts) else _volume_text(parts)


def _loss_text(parts: LossParts) -> str:
    if isinstance(parts, LossOutlier):
        return f"{_loss_outlier(parts)}{unit_change(parts.power_of_ten)}"
    if isinstance(parts, BetterLoss):
        return (
            f"{_better_loss(parts)}: better than the benchmark. Check that labels are whole, and no copies of the "
            "answers; if they are right, make a new baseline (`pitfalls monitor rebaseline`), so that a return to the "
            "old level is an alarm."
        )
    above = format_value(parts.loss.watch, parts.page)
    return (
        f"{_loss_range(parts.loss)} One window of so many rows pages above {above}: check the labels of its rows, then "
        "their inputs."
    )


def _better_loss(better: BetterLoss) -> str:
    move = f"{watch_title(better.watch)} {format_move(better.watch, better.before, better.now)}"
    if better.lowest is None:
        return f"{move} over the last {better.windows} windows ({better.rows:,} rows)"
    return (
        f"{move} in the last {better.windows} windows with a score ({better.rows:,} rows), "
        f"{format_value(better.watch, better.lowest)} in the best window of the baseline"
    )


def _volume_text(parts: VolumeParts) -> str:
    match parts:
        case RowVolume() as volume:
            return _row_volume(volume)
        case LastingVolume() as lasting:
            return _lasting_volume(lasting)
        case FewLabels() as few:
            return (
                f"Labels came for {100.0 * few.labels / few.rows:,.0f} % of {few.rows:,} rows of {few.windows} windows "
                f"that wait for no more labels; the reference has {100.0 * few.share:,.0f} %."
            )


def loss_words(loss: LossRange) -> str:
    """A loss in the window, in a clause."""
    value = format_value(loss.watch, loss.value)
    return f"{watch_title(loss.watch)} {value} in this window ({loss.rows:,} labelled rows)"


def lean_words(lean: AnswerLean | None) -> str:
    """To which side of the labels the answers lie, as a clause after a comma; empty where that is not known.

    >>> lean_words(AnswerLean(watch="bias", answers=-1234.5)), lean_words(AnswerLean(watch="label:1", answers=0.74))
    (', answers 1,234 below the labels on average', ', labels of class 1 0.0 % where the probabilities say 74.0 %')
    """
    if lean is None:
        return ""
    if lean.watch == "bias":
        side = "above" if lean.answers > 0 else "below"
        amount = format_value("absolute_error", abs(lean.answers))
        return (
            f", answers mostly {side} the labels"
            if lean.is_bounded
            else f", answers {amount} {side} the labels on average"
        )
    expected, found = (format_value(lean.watch, share) for share in (lean.answers, lean.labels))
    return f", {lower_first(watch_title(lean.watch))} {found} where the probabilities say {expected}"


def _loss_range(loss: LossRange) -> str:
    """A loss in the window, and where the baseline's windows lie."""
    low, high = (format_value(loss.watch, each) for each in (loss.low, loss.high))
    return f"{loss_words(loss)}; the baseline's {loss.windows} windows lie between {low} and {high}."


def _loss_outlier(outlier: LossOutlier) -> str:
    parts = [_loss_range(outlier.loss), _loss_proof(outlier.proof)]
    if outlier.others:
        named = ", ".join(
            f"{lower_first(watch_title(other.watch))} {format_value(other.watch, other.value)} (at most "
            f"{format_value(other.watch, other.high)} in the baseline)"
            for other in outlier.others
        )
        parts.append(f"Besides: {named}.")
    return " ".join(parts)


def _loss_proof(proof: LossProof) -> str:
    """From where on a window is a page, and what was to be expected of its rows where that is known."""
    name, largest = lower_first(watch_title(proof.watch)), format_value(proof.watch, proof.largest)
    page = f"By how the baseline's windows vary, chance does not bring the {name} above {largest}"
    this = f"{page}; this window has {format_value(proof.watch, proof.value)}"
    if proof.expected is None:
        return f"{this}."
    return f"{this}, and the model's answers let expect {format_value(proof.watch, proof.expected)}."


def _row_volume(volume: RowVolume) -> str:
    if not volume.rows:
        count = "No rows arrived" if volume.gap == 1 else f"No rows arrived in {volume.gap} windows"
        most = f"at most {volume.longest_gap} without rows" if volume.longest_gap else ""
    else:
        count = f"{volume.rows:,} row{'' if volume.rows == 1 else 's'} arrived"
        word = "more" if volume.is_more else "fewer"
        most = "" if volume.most is None else f"at most {volume.most:,.0f} times {word}"
    source, had = " by the reference" if volume.by_reference else "", f", and the reference had {most}" if most else ""
    return f"{count}; {volume.usual:,.0f} are usual for this window{source}{had}."


def _lasting_volume(lasting: LastingVolume) -> str:
    rise = f" ({100.0 * (lasting.total / lasting.usual - 1.0):+,.0f} %)" if lasting.usual else ""
    least = "" if lasting.least is None else f", at least {lasting.least:,} arrived in as many before"
    return (
        f"{lasting.total:,} {lasting.of} arrived in the last {lasting.windows} windows; {lasting.usual:,.0f} are usual"
        f"{rise}{least}."
    )
