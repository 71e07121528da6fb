"""Watches, slices and their values as a person reads them."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import replace

from monitoring.tasks.metrics import SHOWN_METRICS, find_metric
from monitoring.tasks.output_names import is_of_numbers, split_output
from monitoring.tasks.ranking import FIRST
from monitoring.tasks.task import MATERIAL, SURPRISE, Metric, Unit, loss_of

#: An explanation is a few sentences, which quote labels.
LONGEST_MESSAGE = 2000

#: Longer text from the traffic is cut, in characters.
LONGEST = 200

#: What the names of watches on differences begin with.
_DIFFERENCES = ("surprise_", "labelled:", "selection:", "number_bias:", "residual:", "calibration_slope")

#: From these changes of a share on, percent are whole, or have one digit.
_WHOLE_PERCENT = 0.095
_TENTH_PERCENT = 0.0015

#: Printed where there is no value.
NOTHING = "\N{EN DASH}"

#: Numbers of four digits are written with an exponent from here on by themselves, and in messages from there on.
_EXPONENT_FROM, _EXPONENT_IN_MESSAGES = 1e4, 1e15

#: Watches without a part of their own in the name.
_WHOLE = {
    "joint": "Joint input drift",
    "embedding": "Embedding drift",
    "schema": "Schema",
    "subgroup": "Subgroup",
    "output:confidence": "Prediction confidence",
    "unusable_answers": "Invalid predictions",
    "calibration_slope": "Calibration slope",
    "prediction:location": "Mean quantile of predictions",
    "prediction:spread": "Spread of predictions",
    "prediction:new_ids": "Answered ids that are new to the baseline",
    "prediction:common_ids": "Answered ids that are common in the baseline",
    "prediction:empty_places": "Places without an id",
    "label:location": "Mean quantile of labels",
    "label:spread": "Spread of labels",
    "label:new_ids": "Relevant ids that the baseline never answered",
    "label:common_ids": "Relevant ids that are common among the baseline's answers",
    "prediction:score:location": "Mean quantile of largest scores",
    "prediction:score:spread": "Spread of largest scores",
    "prediction:out_of_order": "Places with a larger score than the one before",
}

#: What a watch's kind, before the colon, says about the part after it.
_KINDS = {
    "output": "Predicted probability of class",
    "missing": "Missing values of",
    "unseen": "Unseen values of",
    "input": "Share of",
    "label": "Labels of class",
    "labelled": "Label coverage gap at",
    "selection": "Selection rate gap of",
    "rank": "Ranking loss of class",
    "material_rank": "Material rise of ranking loss of class",
    "residual": "Frequency beyond the probability of class",
}

#: The beginning of the title of a watch that is about a loss, and the end of that of realised minus expected loss.
_ABOUT_LOSSES = {"material_": "Material rise of", "estimated_": "Estimated"}
_ABOVE = "above expectation"


#: Kinds of watches on where numbers lie, and what precedes the number's name.
_PLACED = {"input": "", "prediction": "output ", "label": "labels "}

#: What tells where numbers lie: their mean quantile in the baseline, and how widely they do.
_PLACES = {"location": "Mean quantile", "spread": "Spread"}


def printable(text: str, longest: int = LONGEST) -> str:
    r"""Text from the traffic, without control, bidirectional or unassigned characters.

    Returns:
        Printable text, with "…" where it was cut and U+FFFD for each character replaced.

    >>> printable("EWR\x1b[31m")
    'EWR�[31m'
    """
    shown = text[:longest]
    if not shown.isprintable():
        shown = "".join("\ufffd" if unicodedata.category(letter)[0] == "C" else letter for letter in shown)
    return shown + "…" if len(text) > longest else shown


def watch_title(name: str) -> str:
    """A watch's name for people.

    >>> [watch_title(name) for name in ("brier", "surprise_error", "missing:temp", "input:temp:location")]
    ['Brier score', 'Error rate above expectation', 'Missing values of temp', 'Mean quantile of temp']
    """
    if name in _WHOLE:
        return _WHOLE[name]
    kind, colon, rest = name.partition(":")
    if not colon or find_metric(loss_of(name)) is not None:
        return _loss_title(name)
    output, plain_name = split_output(name)
    return f"{watch_title(plain_name)} of {printable(output)}" if output else _part_title(name, kind, rest)


def _part_title(name: str, kind: str, rest: str) -> str:
    """Of a watch whose name has the kind before the colon, and after it what it is on."""
    if name.startswith(FIRST):
        return f"Share of first places of {printable(name.removeprefix(FIRST))}"
    feature, _, place = rest.rpartition(":")
    if kind in _PLACED and feature and place in _PLACES:
        return f"{_PLACES[place]} of {_PLACED[kind]}{printable(feature)}"
    if kind.startswith(SURPRISE):
        return f"{_part_title(name, kind.removeprefix(SURPRISE), rest)} {_ABOVE}"
    if kind in _KINDS:
        return f"{_KINDS[kind]} {printable(rest).replace('=', ' = ', 1)}"
    return printable(name)


def metric_title(metric: str) -> str:
    """A loss's name for people.

    >>> metric_title("brier"), metric_title("class_error:dog"), metric_title("auc"), metric_title("of:kind:auc")
    ('Brier score', 'Error rate of class dog', 'AUC', 'AUC of kind')
    """
    definition, (_, of_class, part) = find_metric(metric) or _shown(metric), metric.partition(":")
    if definition is None:
        return printable(metric)
    if not of_class or split_output(metric)[0]:
        return printable(definition.title)
    return f"{definition.title} {'' if find_metric(metric) else 'of '}{printable(part)}"


def _shown(metric: str) -> Metric | None:
    """The metric that is shown under a name, of all rows, of one number of several or of one output."""
    output, plain_name = split_output(metric)
    definition = SHOWN_METRICS.get(plain_name.partition(":")[0])
    return (
        definition if definition is None or not output else replace(definition, title=f"{definition.title} of {output}")
    )


def _loss_title(watch: str) -> str:
    """Of a loss, of its surprise, of its material rise or of its estimate."""
    title = metric_title(loss_of(watch))
    kind = watch.removesuffix(loss_of(watch))
    if kind == SURPRISE:
        return f"{title} {_ABOVE}"
    return f"{_ABOUT_LOSSES[kind]} {lower_first(title)}" if kind else title


def slice_title(part: str) -> str:
    """A slice's name for people.

    >>> slice_title("origin=EWR"), slice_title("")
    ('origin = EWR', 'all traffic')
    """
    return printable(part).replace("=", " = ", 1) if part else "all traffic"


def lower_first(title: str) -> str:
    """A title where it does not begin a sentence.

    Returns:
        The title with a small first letter, unless it begins with a name.

    >>> lower_first("Error rate above expectation"), lower_first("Brier score"), lower_first("AUC")
    ('error rate above expectation', 'Brier score', 'AUC')
    """
    return title if title.startswith(("Brier", "AUC")) else title[:1].lower() + title[1:]


def is_share(watch: str) -> bool:
    """Whether a watch's values are shares of rows, to be read in percent; the others are scores without a unit."""
    return unit_of(watch) == "share"


def is_rank(watch: str) -> bool:
    """Whether a watch is a ranking loss or its material rise, whose rows are those of one class; by its name."""
    return watch.startswith(("rank:", f"{MATERIAL}rank:"))


def unit_of(watch: str) -> Unit:
    """The unit of a watch's values."""
    if watch.startswith(("rank:", "surprise_rank:", "material_rank:")) or watch == "calibration_slope":
        return "score"
    metric = find_metric(loss_of(watch)) or _shown(watch)
    if metric is not None:
        return metric.unit
    return "score" if is_of_numbers(watch) or watch in {"joint", "embedding"} else "share"


def plain_number(value: float) -> str:
    """A number of any unit: four digits, and no exponent below a thousand million million.

    >>> plain_number(34217.4), plain_number(0.01234567), plain_number(-2.5e9)
    ('34,220', '0.01235', '-2,500,000,000')
    """
    rounded = float(f"{value:.4g}")
    return f"{rounded:,.0f}" if _EXPONENT_FROM <= abs(rounded) < _EXPONENT_IN_MESSAGES else f"{rounded:,.4g}"


def format_value(watch: str, value: float | None) -> str:
    """A watch's value in its own unit.

    Args:
        value: Its value, or None.

    Returns:
        Percent for shares, three decimals for scores, a signed change for watches on differences, and a dash where
        there is no value.

    >>> format_value("brier", 0.1464), format_value("error", 0.2), format_value("surprise_error", 0.05)
    ('0.146', '20.0 %', '+5.0 points')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    if watch.startswith(_DIFFERENCES) or split_output(watch)[1] == "bias":
        return format_change(watch, value)
    if unit_of(watch) == "target":
        return _minus(plain_number(value))
    return _minus(f"{100 * value:.1f} %" if is_share(watch) else f"{value:.3f}")


def format_amount(watch: str, amount: float) -> str:
    """A size in a watch's own unit.

    Returns:
        Percentage points for shares, three decimals for scores, four digits in the unit of what is predicted.

    >>> format_amount("error", 0.046), format_amount("brier", 0.02)
    ('4.6 points', '0.020')
    """
    if unit_of(watch) == "target":
        return plain_number(amount)
    return f"{100 * amount:.1f} points" if is_share(watch) else f"{amount:.3f}"


def format_change(watch: str, change: float) -> str:
    """A change of a watch.

    >>> format_change("error", 0.046), format_change("brier", 0.02), format_change("brier", -0.0001)
    ('+4.6 points', '+0.020', '+0.000')
    """
    amount = format_amount(watch, abs(change))
    negative = change < 0 and any(digit in "123456789" for digit in amount)
    return _minus(f"{'-' if negative else '+'}{amount}")


def format_move(watch: str, before: float, now: float) -> str:
    """A watch's values before and after a change, with as many digits as tell them apart.

    >>> format_move("error", 0.372, 0.551), format_move("error", 0.277, 0.29), format_move("rank:late", 0.05, 0.5)
    ('37 → 55 %', '27.7 → 29.0 %', '5 → 50 %')
    """
    metric = split_output(watch)[1]
    if watch.startswith(_DIFFERENCES) or metric == "bias" or not (is_share(watch) or metric.startswith("rank:")):
        return f"{format_value(watch, before)} \N{RIGHTWARDS ARROW} {format_value(watch, now)}"
    change = abs(now - before)
    digits = 0 if change >= _WHOLE_PERCENT else 1 if change >= _TENTH_PERCENT else 2
    return _minus(f"{100.0 * before:.{digits}f} \N{RIGHTWARDS ARROW} {100.0 * now:.{digits}f} %")


def _minus(number: str) -> str:
    return number.replace("-", "\N{MINUS SIGN}")
