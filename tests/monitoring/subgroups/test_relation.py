"""The inputs whose relation to the label changed are named, with where; none where only rows, noise or all changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.records import RelationChange
from monitoring.subgroups.relation import LabelledSide, relation_change

SHOPS = ("north", "south", "west")


def side(seed: int, rows: int = 1_500, *, day_effects: float = 0.0, harder: float = 1.0) -> LabelledSide:
    """Rows of 100 a day with a calibrated model of hour, age and shop; `harder`: how far its log odds lie apart."""
    rng = np.random.default_rng(seed)
    hour, age = rng.integers(0, 24, rows).astype(float), rng.normal(45.0, 12.0, rows)
    shop, window = rng.choice(SHOPS, rows), np.arange(rows) // 100
    odds = harder * (0.1 * (hour - 12.0) + 0.08 * (age - 45.0) + np.where(shop == "north", 0.8, -0.4))
    days = rng.normal(scale=day_effects, size=(rows // 100 + 1, 3))[window, np.searchsorted(SHOPS, shop)]
    label = rng.random(rows) < 1.0 / (1.0 + np.exp(-odds - days))
    inputs = {"hour": hour, "age": age, "shop": pa.array(shop), "noise": rng.normal(size=rows)}
    predicted = 1.0 / (1.0 + np.exp(-odds))
    return LabelledSide(inputs=inputs, predicted=predicted, label=label.astype(float), window=window)


BEFORE = side(1, 6_000)


def with_more(live: LabelledSide, where: np.ndarray, share: float, seed: int = 9) -> LabelledSide:
    """The share of the labels 0 that are now 1 where a mask says so."""
    turned = where & (np.random.default_rng(seed).random(where.size) < share)
    return replace(live, label=np.where(turned, 1.0, live.label))


def shop_of(live: LabelledSide) -> np.ndarray:
    """Each row's shop."""
    return np.asarray(live.inputs["shop"])


def test_the_input_and_where_its_labels_are_more_frequent_are_named_with_rates_of_these_rows() -> None:
    before, live = BEFORE, side(2)
    inside = shop_of(live) == "south"
    changed = with_more(live, inside, 0.4)
    found = relation_change(before, changed)
    assert found is not None
    assert found.inputs == ("shop",)
    assert [str(each) for each in found.conditions] == ["shop = south"]
    assert found.inside.since.rows == inside.sum()
    assert found.inside.since.label == pytest.approx(changed.label[inside].mean())
    assert found.inside.since.predicted == pytest.approx(live.predicted[inside].mean())
    assert found.inside.change == pytest.approx(0.4 * (1.0 - live.label[inside].mean()), abs=0.06)
    assert found.elsewhere is not None
    assert abs(found.elsewhere.change) < 0.04
    assert not found.is_elsewhere
    assert found.p_value < 0.001
    assert {point.value for point in found.points} == set(SHOPS)
    assert sum(point.place.since.rows for point in found.points) == live.label.size


def test_a_region_of_two_conditions_is_named_by_both() -> None:
    live = side(3)
    hour = live.inputs["hour"]
    assert isinstance(hour, np.ndarray)
    found = relation_change(BEFORE, with_more(live, (hour >= 14.0) & (shop_of(live) == "west"), 0.8))
    assert found is not None
    assert {each.input for each in found.conditions} == {"hour", "shop"}
    assert set(found.inputs) <= {"hour", "shop"}


def test_an_input_that_says_nothing_any_more_is_named_though_the_prediction_has_it() -> None:
    live = side(4, 3_000)
    age = live.inputs["age"]
    assert isinstance(age, np.ndarray)
    odds = np.log(live.predicted / (1.0 - live.predicted)) - 0.08 * (age - 45.0)
    drawn = np.random.default_rng(5).random(age.size) < 1.0 / (1.0 + np.exp(-odds))
    found = relation_change(BEFORE, replace(live, label=drawn.astype(float)))
    assert found is not None
    assert found.inputs[0] == "age"


def test_a_rise_everywhere_names_no_input_and_says_so() -> None:
    live = side(6)
    odds = np.log(live.predicted / (1.0 - live.predicted)) + 0.8
    label = np.random.default_rng(7).random(odds.size) < 1.0 / (1.0 + np.exp(-odds))
    found = relation_change(BEFORE, replace(live, label=label.astype(float)))
    assert found is not None
    assert (found.inputs, found.conditions, found.elsewhere) == ((), (), None)
    assert found.inside.since.rows == live.label.size
    assert found.inside.change == pytest.approx(0.15, abs=0.05)


@pytest.mark.parametrize("kind", ["nothing", "flipped", "harder", "days differ"])
def test_nothing_is_named_where_only_rows_or_noise_or_days_differ(kind: str) -> None:
    named = 0
    for seed in range(15):
        before, live = side(1000 + seed, 4_000), side(5000 + seed)
        if kind == "flipped":
            live = replace(live, label=np.abs(live.label - (np.random.default_rng(seed).random(1_500) < 0.2)))
        elif kind == "harder":
            live = side(5000 + seed, harder=0.3)
        elif kind == "days differ":
            before, live = side(1000 + seed, 4_000, day_effects=0.6), side(5000 + seed, day_effects=0.6)
        found = relation_change(before, live)
        named += found is not None and bool(found.inputs)
    assert named <= 3  # of 15: one is expected


@pytest.mark.parametrize("is_share", [True, False])
def test_answers_that_are_alike_but_for_rounding_have_no_slope(is_share: bool) -> None:
    """1 - 0.95 is not 0.05 to the bit."""
    before, live, risen = (
        replace(
            one,
            predicted=np.where(np.arange(one.label.size) % 2, 1.0 - 0.95, 0.05),
            label=(np.random.default_rng(one.label.size).random(one.label.size) < share).astype(float),
        )
        for one, share in ((BEFORE, 0.05), (side(3), 0.05), (side(3), 0.3))
    )
    found = relation_change(before, risen, is_share=is_share)
    assert relation_change(before, live, is_share=is_share) is None
    assert found is not None
    assert (found.inputs, found.slopes) == ((), None)
    assert found.inside.change == pytest.approx(0.25, abs=0.04)


def test_the_mean_of_a_number_is_told_in_its_unit() -> None:
    rng = np.random.default_rng(1)

    def numbers(rows: int) -> LabelledSide:
        size, place = rng.normal(size=rows), rng.choice(SHOPS, rows)
        predicted = 100.0 + 20.0 * size
        label = predicted + rng.standard_t(3, rows) * 10.0
        inputs = {"size": size, "shop": pa.array(place)}
        return LabelledSide(inputs=inputs, predicted=predicted, label=label, window=np.arange(rows) // 100)

    before, live = numbers(5_000), numbers(1_500)
    assert relation_change(before, live, is_share=False) is None
    higher = replace(live, label=live.label + 8.0 * (shop_of(live) == "west"))
    found = relation_change(before, higher, output="price", is_share=False)
    assert found is not None
    assert (found.output, found.is_share, found.inputs) == ("price", False, ("shop",))
    assert found.inside.change == pytest.approx(8.0, abs=2.0)


def test_too_few_rows_or_no_inputs_say_nothing() -> None:
    live = side(8, 50)
    assert relation_change(BEFORE, live) is None
    assert relation_change(BEFORE, side(8, 0)) is None
    assert relation_change(replace(BEFORE, inputs={}), replace(side(8), inputs={})) is None


@settings(max_examples=10)
@given(
    seed=st.integers(0, 1_000), scale=st.sampled_from([0.01, 3.0, 1_000.0]), shift=st.sampled_from([-50.0, 0.0, 7.0])
)
def test_the_order_of_rows_and_the_unit_of_a_number_change_nothing(seed: int, scale: float, shift: float) -> None:
    before, live = side(seed, 1_000), with_more(side(seed + 1, 600), shop_of(side(seed + 1, 600)) == "south", 0.4)
    order = np.random.default_rng(seed).permutation(600)
    shuffled = replace(
        live.part(np.ones(600, dtype=np.bool_)),
        inputs={
            name: column[order] if isinstance(column, np.ndarray) else column.take(pa.array(order))
            for name, column in live.inputs.items()
        },
        predicted=live.predicted[order],
        label=live.label[order],
        window=live.window[order],
    )

    def in_unit(one: LabelledSide) -> LabelledSide:
        age = one.inputs["age"]
        assert isinstance(age, np.ndarray)
        return replace(one, inputs={**one.inputs, "age": shift + scale * age})

    found, other = relation_change(before, live), relation_change(in_unit(before), in_unit(shuffled))
    assert _names(found) == _names(other)


def _names(found: RelationChange | None) -> tuple[object, ...]:
    if found is None:
        return ()
    signs = [(each.input, each.sign, each.value if isinstance(each.value, str) else "") for each in found.conditions]
    return (found.inputs, signs, found.inside.since.rows, round(found.inside.change, 9))
