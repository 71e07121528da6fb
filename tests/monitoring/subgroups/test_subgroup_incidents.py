"""A search opens a notice for a subgroup that nobody was told of, and closes it once the rise is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from monitoring.records import SUBGROUP_WATCH, IncidentRecord, Watch
from monitoring.sentences.incident_text import incident_text
from monitoring.subgroups.subgroup_incidents import SubgroupSearch, advance_subgroup_incident, open_subgroup_incidents
from monitoring.subgroups.subgroups import ScoredSide
from monitoring.traffic.windows import Window

DAY, FIRST = timedelta(days=1), datetime(2026, 1, 1, tzinfo=UTC)
WATCH = Watch(name="surprise_error", family="surprise", level="page", needs_label=True, scale=2.0, offset=-1.0)
LOSSES = ("error", "surprise_error")


def side(seed: int, harm: float = 0.0, south: float = 0.0, rows: int = 6_000) -> ScoredSide:
    """Rows of 30 days, which are worse from hour 18 on in the north, or in the south."""
    rng = np.random.default_rng(seed)
    hour, shop = rng.choice([0.0, 6.0, 12.0, 18.0], rows), rng.choice(["north", "south", "west"], rows)
    chance = 0.1 + harm * ((hour >= 18) & (shop == "north")) + south * (shop == "south")
    return ScoredSide(
        inputs={"hour": hour, "shop": pa.array(shop)},
        excess=(rng.random(rows) < chance) - 0.1,
        window=np.arange(rows) // 200,
    )


def search(month: int, harm: float = 0.0, south: float = 0.0, slices: tuple[str, ...] = ()) -> SubgroupSearch:
    start = FIRST + 30 * month * DAY
    return SubgroupSearch(
        baseline=side(1),
        live=side(month + 2, harm, south),
        watch=WATCH,
        searched=Window(start=start, end=start + 30 * DAY),
        windows=30,
        now=Window(start=start + 36 * DAY, end=start + 37 * DAY),
        error_rate=0.05,
        slices=slices,
    )


def opened(harm: float = 0.4, month: int = 0) -> IncidentRecord:
    (one,) = open_subgroup_incidents(search(month, harm), (), LOSSES, first_number=4)
    return one


def test_a_notice_names_the_subgroup_how_much_more_it_rose_and_the_next_step() -> None:
    one = opened()
    assert (one.number, one.level, one.state, one.watch) == (4, "notice", "open", SUBGROUP_WATCH)
    assert one.slice == "hour ≥ 18 and shop = north"
    assert one.opened_at == one.window_end == FIRST + 37 * DAY
    assert incident_text(one).cause.startswith(
        "the model got worse where hour ≥ 18 and shop = north (error rate above expectation +"
    )
    assert one.detail.subgroup is not None
    assert one.detail.subgroup.watch == "surprise_error"
    assert one.detail.subgroup.rise == pytest.approx(0.4, abs=0.1)
    for part in (
        "points there since the baseline",
        "in all other rows",
        "30 windows from 1 January 2026 to 30 January 2026",
        '`slices = ["shop"]`',
    ):
        assert part in incident_text(one).message


def test_the_next_step_knows_the_slices_and_numbers_that_cannot_be_one() -> None:
    (one,) = open_subgroup_incidents(search(0, south=0.4, slices=("shop",)), (), LOSSES, first_number=1)
    assert "shop is a slice already" in incident_text(one).message
    (one,) = open_subgroup_incidents(search(0, south=0.4, slices=("size",)), (), LOSSES, first_number=1)
    assert '`slices = ["size", "shop"]`' in incident_text(one).message
    late = search(0)
    live = replace(late.live, excess=late.live.excess + 0.4 * (np.asarray(late.live.inputs["hour"]) >= 18))
    (one,) = open_subgroup_incidents(replace(late, live=live), (), LOSSES, first_number=1)
    assert one.slice == "hour ≥ 18"
    assert "a category input that says whether hour ≥ 18" in incident_text(one).message


def test_what_an_open_incident_tells_is_not_told_again() -> None:
    told, again = opened(), search(1, harm=0.4)
    assert open_subgroup_incidents(again, (told,), LOSSES, first_number=5) == ()
    page = replace(told, level="page", watch="error", slice="shop=north", detail=replace(told.detail, subgroup=None))
    assert open_subgroup_incidents(again, (page,), LOSSES, first_number=5) == ()
    for other in (replace(page, watch="labelled:shop"), replace(page, slice=""), replace(page, slice="shop=south")):
        assert len(open_subgroup_incidents(again, (other,), LOSSES, first_number=5)) == 1


def test_another_subgroup_is_told_beside_it() -> None:
    (other,) = open_subgroup_incidents(search(1, harm=0.4, south=0.4), (opened(),), LOSSES, first_number=5)
    assert (other.number, other.slice) == (5, "shop = south")


def test_it_lasts_while_the_rise_does_and_is_closed_by_the_search_that_finds_it_over() -> None:
    one = opened()
    for month in (1, 2):
        one = advance_subgroup_incident(one, search(month, harm=0.4))
        assert one.state == "open"
    over = advance_subgroup_incident(one, search(3))
    assert (over.state, over.closed_at) == ("closed", search(3).now.end)


def test_a_rise_that_is_neither_shown_nor_over_ends_after_three_searches() -> None:
    one, few = opened(), replace(search(1), live=side(17, harm=0.15, rows=360))
    states = []
    for _ in range(3):
        one = advance_subgroup_incident(one, few)
        states.append(one.state)
    assert states == ["recovering", "recovering", "closed"]


def test_rows_that_are_too_few_or_without_these_inputs_change_nothing() -> None:
    one = opened()
    none = ScoredSide(inputs={"hour": np.zeros(0)}, excess=np.zeros(0), window=np.zeros(0, dtype=np.int64))
    for later in (
        replace(search(1), watch=replace(WATCH, name="surprise_brier")),
        replace(search(1), live=side(3, rows=60)),
        replace(search(1), live=none),
    ):
        assert advance_subgroup_incident(one, later) == one
