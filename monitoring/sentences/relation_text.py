"""How the relation of inputs and label changed, in a sentence."""

from __future__ import annotations

from monitoring.records import RelationChange, RelationPlace, RelationRates
from monitoring.watches.descriptions import plain_number, printable


def relation_sentence(relation: RelationChange | None) -> str:
    """What changed, where, and what the model says there; empty where nothing is known.

    >>> rates = RelationRates(rows=300, label=0.41, predicted=0.22)
    >>> place = RelationPlace(before=RelationRates(rows=900, label=0.23, predicted=0.22), since=rates)
    >>> found = RelationChange(output="late", is_share=True, inside=place, error=0.02, p_value=0.001)
    >>> relation_sentence(found)[:107]
    'The relation of inputs and label changed alike everywhere: 41 % of 300 labels are late where the model says'
    """
    if relation is None:
        return ""
    now, before = relation.inside.since, relation.inside.before
    if not relation.conditions:
        if relation.slopes is not None:
            return _slope_sentence(*relation.slopes)
        cause = "the answers, a threshold or the label's meaning may have changed"
        return (
            f"The relation of inputs and label changed alike everywhere: {_rates(relation, now)} "
            f"({_before(relation, before)}): {cause}."
        )
    where = " and ".join(printable(str(condition)) for condition in relation.conditions)
    named = ", ".join(map(printable, relation.inputs))
    return (
        f"The relation of {named} and label changed: where {where}, {_rates(relation, now)} "
        f"({_before(relation, before)}); {_others(relation, relation.elsewhere)}."
    )


def _slope_sentence(before: float, since: float) -> str:
    follows = "less" if since < before else "more"
    cause = ": labels are noisier, or an input that most answers depend on says less" if since < before else ""
    slopes = f"slope {before:.2f} in the baseline, now {since:.2f}"
    return f"Labels follow the answers {follows} than before, alike everywhere ({slopes}){cause}."


def _rates(relation: RelationChange, rates: RelationRates) -> str:
    if relation.of_errors:
        is_ = f"{_value(relation, rates.label)} of {rates.rows:,} answers are wrong"
    elif relation.is_share:
        is_ = f"{_value(relation, rates.label)} of {rates.rows:,} labels are {printable(relation.output)}"
    else:
        of = f" of {printable(relation.output)}" if relation.output else ""
        is_ = f"the mean label{of} of {rates.rows:,} rows is {_value(relation, rates.label)}"
    return f"{is_} where the model says {_value(relation, rates.predicted)}"


def _before(relation: RelationChange, rates: RelationRates) -> str:
    return f"{_value(relation, rates.label)} and {_value(relation, rates.predicted)} in the baseline"


def _others(relation: RelationChange, place: RelationPlace | None) -> str:
    if place is None or not relation.is_elsewhere:
        return "all other rows as before"
    now, before = place.since, place.before
    return (
        f"all other rows {_value(relation, now.label)} where it says {_value(relation, now.predicted)} "
        f"({_before(relation, before)})"
    )


def _value(relation: RelationChange, value: float) -> str:
    if not relation.is_share:
        return plain_number(value)
    percent = 100.0 * value
    return f"{percent:.1f} %" if percent < 9.5 else f"{percent:.0f} %"
