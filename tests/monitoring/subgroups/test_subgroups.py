"""Subgroups in which a model has got worse than elsewhere are found, and none where it has not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from monitoring.records import Condition
from monitoring.subgroups.subgroups import ScoredSide, meeting, worst_subgroups

ROWS = 6_000
SHOPS = ("north", "south", "west")


def side(
    seed: int, *, worse_at_night: float = 0.0, worse: float = 0.0, rows: int = ROWS, day_effects: float = 0.0
) -> ScoredSide:
    """Rows whose excess is worse from hour 18 on in the north, or everywhere, and on some days in some shops.

    The weekday is that of a day of 200 rows, of which there are 30.
    """
    rng = np.random.default_rng(seed)
    hour, noise = rng.integers(0, 24, rows).astype(float), rng.normal(size=rows)
    shop = rng.choice(SHOPS, rows)
    window = np.arange(rows) // 200
    days = rng.normal(scale=day_effects, size=(rows // 200 + 1, 1)) + rng.normal(
        scale=day_effects, size=(rows // 200 + 1, 3)
    )
    bad_days = days[window, np.searchsorted(SHOPS, shop)]
    weekday = pa.array(window % 7).cast(pa.string())
    chance = 0.1 + worse + worse_at_night * ((hour >= 18) & (shop == "north"))
    return ScoredSide(
        inputs={"noise": noise, "hour": hour, "shop": pa.array(shop), "weekday": weekday},
        excess=(rng.random(rows) < chance) - 0.1 + bad_days,
        window=window,
    )


def test_the_subgroup_where_the_model_got_worse_is_named_with_both_conditions() -> None:
    (worst, *others) = worst_subgroups(side(1), side(2, worse_at_night=0.4))
    assert {(one.input, one.sign) for one in worst.conditions} == {("hour", "≥"), ("shop", "=")}
    assert worst.rise == pytest.approx(0.4, abs=0.1)
    assert worst.others == pytest.approx(0.0, abs=0.03)
    assert worst.p_value < 1e-6
    assert others == []


@pytest.mark.parametrize("worse", [0.0, 0.3])
def test_none_is_named_where_the_model_is_as_before_or_worse_everywhere_alike(worse: float) -> None:
    named = [bool(worst_subgroups(side(seed), side(seed + 1, worse=worse), seed=seed)) for seed in range(0, 40, 2)]
    assert sum(named) <= 3  # of 20: one is expected


def test_a_model_that_was_never_wrong_and_always_is_in_one_shop_is_found() -> None:
    before, after = side(1), side(2)
    north = np.asarray(pc.equal(after.inputs["shop"], "north"))
    (worst,) = worst_subgroups(replace(before, excess=np.zeros(ROWS)), replace(after, excess=np.where(north, 1.0, 0.0)))
    assert [str(one) for one in worst.conditions] == ["shop = north"]
    assert (worst.rise, worst.others) == (1.0, 0.0)
    assert not worst_subgroups(replace(before, excess=np.zeros(ROWS)), replace(after, excess=np.zeros(ROWS)))


def test_what_varies_from_day_to_day_anyway_is_no_subgroup() -> None:
    for rows in (600, 3_000):  # three days, which are halved by their rows, and fifteen
        named = [
            bool(worst_subgroups(side(seed, day_effects=0.2), side(seed + 1, rows=rows, day_effects=0.2), seed=seed))
            for seed in range(0, 40, 2)
        ]
        assert sum(named) <= 3
    (worst, *_) = worst_subgroups(side(1, day_effects=0.05), side(2, worse_at_night=0.5, day_effects=0.05))
    assert {one.input for one in worst.conditions} == {"hour", "shop"}


def test_few_rows_have_no_subgroup() -> None:
    assert worst_subgroups(side(1), side(2, worse_at_night=0.9, rows=90)) == ()
    assert worst_subgroups(side(1), side(2, rows=0)) == ()


def test_missing_values_are_below_every_threshold_and_of_no_category() -> None:
    inputs = {"age": np.array([70.0, 20.0, np.nan]), "shop": pa.array(["north", None, "south"])}
    assert meeting([Condition(input="age", sign="≥", value=65.0)], inputs).tolist() == [True, False, False]
    assert meeting([Condition(input="age", sign="<", value=65.0)], inputs).tolist() == [False, True, True]
    assert meeting([Condition(input="shop", sign="=", value="north")], inputs).tolist() == [True, False, False]
    assert meeting([Condition(input="shop", sign="≠", value="north")], inputs).tolist() == [False, True, True]
