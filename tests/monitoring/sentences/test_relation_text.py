"""How the relation of inputs and label changed, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitoring.incidents.cause import explain
from monitoring.records import Condition, RelationChange, RelationPlace, RelationRates
from monitoring.sentences.relation_text import relation_sentence
from tests.monitoring.incidents.alarms import alarm, said, windows

WHERE = RelationChange(
    output="late",
    is_share=True,
    inputs=("stage",),
    conditions=(Condition(input="stage", sign="=", value="3"),),
    inside=RelationPlace(
        before=RelationRates(rows=900, label=0.23, predicted=0.221),
        since=RelationRates(rows=312, label=0.41, predicted=0.22),
    ),
    elsewhere=RelationPlace(
        before=RelationRates(rows=3_000, label=0.1, predicted=0.1),
        since=RelationRates(rows=1_000, label=0.045, predicted=0.1),
    ),
    error=0.02,
    p_value=0.001,
)
INSIDE = (
    "The relation of stage and label changed: where stage = 3, 41 % of 312 labels are late where the model says 22 % "
    "(23 % and 22 % in the baseline); "
)


EVERYWHERE = replace(WHERE, inputs=(), conditions=(), elsewhere=None)
NUMBERS = RelationPlace(
    before=RelationRates(rows=900, label=101.25, predicted=100.5),
    since=RelationRates(rows=312, label=130.0, predicted=99.0),
)


def test_where_it_changed_is_said_with_the_rates_of_these_rows_and_of_the_others() -> None:
    assert relation_sentence(None) == ""
    assert relation_sentence(WHERE) == f"{INSIDE}all other rows as before."
    others = "all other rows 4.5 % where it says 10 % (10 % and 10 % in the baseline)."
    assert relation_sentence(replace(WHERE, is_elsewhere=True)) == f"{INSIDE}{others}"


def test_a_number_is_said_in_its_unit() -> None:
    said = relation_sentence(replace(WHERE, output="", is_share=False, inside=NUMBERS))
    assert "the mean label of 312 rows is 130 where the model says 99 (101.2 and 100.5 in the baseline)" in said


def test_a_change_alike_everywhere_names_no_input() -> None:
    said = relation_sentence(EVERYWHERE)
    assert said.startswith("The relation of inputs and label changed alike everywhere: 41 % of 312 labels are late ")
    assert said.endswith("the answers, a threshold or the label's meaning may have changed.")
    assert relation_sentence(replace(EVERYWHERE, slopes=(1.02, 0.4))) == (
        "Labels follow the answers less than before, alike everywhere (slope 1.02 in the baseline, now 0.40): "
        "labels are noisier, or an input that most answers depend on says less."
    )


@pytest.mark.parametrize("of_errors", [True, False])
@pytest.mark.parametrize("is_elsewhere", [True, False])
def test_a_loss_has_the_one_place_whose_answers_are_wrong_whatever_its_name(
    of_errors: bool, is_elsewhere: bool
) -> None:
    there = (Condition(input="stage", sign="=", value="(9 rows): where"),)
    cause = explain(alarm("brier", windows(brier=[0.4], surprise_brier=[0.27], error=[0.55])))
    relation = replace(WHERE, conditions=there, of_errors=of_errors, is_elsewhere=is_elsewhere)
    found = replace(cause, detail=replace(cause.detail, relation=relation))
    place = ", mostly where stage = (9 rows): where" if of_errors and not is_elsewhere else ""
    assert said(found).line.endswith(f"since 1 April 2013 (100 rows){place}: the model is overconfident")
