"""Roles of rows: none is scored by a fit that has seen it, none is scored twice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from pitfalls_tf.rows.folds import Folds
from pitfalls_tf.training.row_roles import FitRoles, SplitColumns, assign_roles
from pitfalls_tf.training.setup import HeldOut, Setup

DAYS = np.repeat(np.arange("2013-01-01", "2013-05-01", dtype="datetime64[D]"), 2)
COLUMNS = SplitColumns(
    days=DAYS, times=DAYS.astype("datetime64[us]"), domains=np.where(np.arange(len(DAYS)) % 3, "EWR/2013", "JFK/2013")
)
IMAGES = SplitColumns(
    days=None, times=np.full(9, "NaT", dtype="datetime64[us]"), domains=np.repeat(["mnist", "uci", "font"], 3)
)


def parts(fit: FitRoles) -> list[set[int]]:
    return [set(rows.tolist()) for rows in (fit.training, fit.validation, fit.target, fit.scored)]


@given(
    split=st.sampled_from(["random", "blocked", "time", "domain", "folds"]),
    stopping=st.sampled_from([None, 3]),
    adapts=st.booleans(),
)
def test_no_row_is_scored_by_a_fit_that_has_seen_it(split: str, stopping: int | None, adapts: bool) -> None:
    held_out = HeldOut(split=split, at="2013-04-01", domains=("JFK",))  # type: ignore[arg-type] # a literal
    setup = Setup(source="flights", held_out=held_out, stopping=stopping)
    if adapts and split != "folds":
        setup = replace(setup, remedy="coral")
    roles = assign_roles(setup, COLUMNS)
    for fit in roles.fits:
        sets = parts(fit)
        assert len(set.union(*sets)) == sum(map(len, sets)) == len(DAYS)
        assert sets[0]
        assert bool(sets[1]) == (stopping is not None)
        assert bool(sets[2]) == (adapts and split != "folds")
        assert sets[3]
    scored = np.concatenate([fit.scored for fit in roles.fits])
    assert len(np.unique(scored)) == len(scored)
    assert (roles.deployed is not None) == (split == "folds")


def test_folds_score_every_row_and_the_deployed_model_learns_from_all() -> None:
    setup = Setup(source="flights", held_out=HeldOut(split="folds", folds=Folds(count=4, block_days=3, seed=2)))
    roles = assign_roles(setup, COLUMNS)
    assert len(roles.fits) == 4
    assert sorted(np.concatenate([fit.scored for fit in roles.fits])) == list(range(len(DAYS)))
    assert roles.described == "4 folds of blocks of 3 days, seed 2"
    assert roles.deployed is not None
    assert parts(roles.deployed) == [set(range(len(DAYS))), set(), set(), set()]
    for fit in roles.fits:  # a day is on one side
        assert not {*DAYS[fit.training].tolist()} & {*DAYS[fit.scored].tolist()}


def test_folds_are_five_of_the_sources_blocks_where_nothing_else_is_said() -> None:
    assert assign_roles(Setup(source="flights", held_out=HeldOut(split="folds")), COLUMNS).described == (
        "5 folds of blocks of 3 days, seed 1977"
    )


def test_half_of_the_held_out_rows_are_adapted_to_and_the_other_half_scored() -> None:
    setup = Setup(source="flights", remedy="coral", held_out=HeldOut(split="domain", domains=("JFK",)))
    roles = assign_roles(setup, COLUMNS)
    (fit,) = roles.fits
    assert len(fit.target) == len(fit.scored) == int((COLUMNS.domains == "JFK/2013").sum()) // 2
    assert "half of the held-out rows to adapt to" in roles.described
    with pytest.raises(BadInput, match="one held-out part"):
        assign_roles(replace(setup, held_out=HeldOut(split="folds")), COLUMNS)


def test_a_short_table_is_split_by_single_days() -> None:
    setup = Setup(source="table")
    short = SplitColumns(days=DAYS[:80], times=COLUMNS.times[:80], domains=COLUMNS.domains[:80])
    assert "blocks of 7 days" in assign_roles(setup, COLUMNS).described
    assert "blocks of 1 days" in assign_roles(setup, short).described


def test_a_table_without_a_moment_is_split_after_three_quarters_of_its_rows() -> None:
    (fit,) = assign_roles(Setup(source="table", held_out=HeldOut(split="time")), COLUMNS).fits
    assert len(fit.training) == pytest.approx(0.75 * len(DAYS), abs=2)
    (fit,) = assign_roles(Setup(source="table", held_out=HeldOut(split="time", at="2013-02-01")), COLUMNS).fits
    assert len(fit.training) == 2 * 31


@pytest.mark.parametrize(
    ("held_out", "words"),
    [
        (HeldOut(split="domain"), r"--split domain needs the domains.*EWR, JFK"),
        (HeldOut(split="domain", domains=("LGA",)), r"No row is of that domain.*LGA"),
        (HeldOut(split="time", at="spring"), "not a date or time"),
        (HeldOut(split="time", at="1999-01-01"), "leaves one side empty"),
        (HeldOut(split="folds", folds=Folds(count=5, block_days=60, seed=0)), "Too few days"),
    ],
)
def test_a_split_that_is_not_possible_is_refused(held_out: HeldOut, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        assign_roles(Setup(source="flights", held_out=held_out), COLUMNS)


@pytest.mark.parametrize("split", ["blocked", "time", "folds"])
def test_images_cannot_be_split_by_days_they_do_not_have(split: str) -> None:
    setup = Setup(source="digits", held_out=HeldOut(split=split))  # type: ignore[arg-type] # a literal
    with pytest.raises(BadInput, match="Rows without a time"):
        assign_roles(setup, IMAGES)
    (fit,) = assign_roles(Setup(source="digits"), IMAGES).fits
    assert fit.training.tolist() == [0, 1, 2]
