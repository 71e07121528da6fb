from __future__ import annotations

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.records import CauseDetail, LossSplit, SlicePart

NUMBERS = st.floats(-1, 1)


@given(NUMBERS, NUMBERS)
def test_the_change_of_a_loss_is_its_expected_part_and_its_surprise(difficulty: float, surprise: float) -> None:
    assert LossSplit(metric="brier", difficulty=difficulty, surprise=surprise).change == difficulty + surprise


@given(NUMBERS, NUMBERS)
def test_a_slice_s_part_is_that_of_its_share_and_that_of_its_loss(mix: float, loss: float) -> None:
    part = SlicePart(metric="brier", column="origin", slice="origin=EWR", mix=mix, loss=loss)
    assert part.total == pytest.approx(mix + loss)


def test_the_keys_of_a_stored_cause_are_those_of_earlier_versions() -> None:
    assert set(asdict(CauseDetail())) == {"split", "parts", "inputs", "rows", "subgroup"}
    assert set(asdict(LossSplit(metric="brier", difficulty=0.0, surprise=0.0))) == {"metric", "difficulty", "surprise"}


def test_an_empty_cause_equals_another() -> None:
    assert CauseDetail() == CauseDetail(split=None, parts=(), inputs=(), rows=())
