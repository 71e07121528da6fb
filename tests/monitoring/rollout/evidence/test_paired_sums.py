"""Sums of paired rows: whole numbers, so that neither order nor batches change anything."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from monitoring.records import SCORE_ONE
from monitoring.rollout.evidence.paired_sums import BETS, PairedSums

values = st.one_of(st.floats(-1.0, 1.0), st.just(float("nan")), st.sampled_from([-1.0, 0.0, 1.0]))
columns = st.integers(0, 60).flatmap(lambda n: arrays(np.float64, n, elements=values))


@given(columns, st.randoms(use_true_random=False), st.integers(0, 60))
def test_neither_the_order_of_rows_nor_their_batches_change_a_bit(
    differences: np.ndarray, random: object, cut: int
) -> None:
    order = list(range(differences.size))
    random.shuffle(order)  # type: ignore[attr-defined]
    whole = PairedSums.of(differences)
    shuffled = differences[order]
    assert PairedSums.of(shuffled[:cut]) + PairedSums.of(shuffled[cut:]) == whole
    assert PairedSums.merged([whole]) == whole


def test_many_rows_of_few_values_have_the_sums_of_their_batches() -> None:
    rng = np.random.default_rng(0)
    differences = rng.choice([-1.0, 0.0, 0.25, 1.0], 200_000)
    assert PairedSums.of(differences) == PairedSums.merged(map(PairedSums.of, np.array_split(differences, 7)))


@given(columns)
def test_sums_come_back_from_json(differences: np.ndarray) -> None:
    sums = PairedSums.of(differences)
    assert PairedSums.from_list(json.loads(json.dumps(sums.as_list()))) == sums


@given(columns)
def test_each_sum_is_what_its_name_says(differences: np.ndarray) -> None:
    sums, known = PairedSums.of(differences), differences[~np.isnan(differences)]
    assert (sums.rows, sums.labelled, sums.missing) == (differences.size, known.size, differences.size - known.size)
    assert sums.total / SCORE_ONE == pytest.approx(known.sum(), abs=1e-6)
    assert sums.squares / SCORE_ONE == pytest.approx((known**2).sum(), abs=1e-6)
    for bet, rising, falling in zip(BETS, sums.rising, sums.falling, strict=True):
        assert rising / SCORE_ONE == pytest.approx(np.log1p(bet * known).sum(), abs=1e-6)
        assert falling / SCORE_ONE == pytest.approx(np.log1p(-bet * known).sum(), abs=1e-6)


def test_a_row_without_a_label_counts_as_equal_and_its_largest_difference_is_kept() -> None:
    sums = PairedSums.of(np.array([1.0, np.nan, np.nan, np.nan]), np.array([1.0, 0.25, 0.0, 0.5]))
    assert sums.mean == 0.25
    assert sums.unknown_share == 0.75 / 4
    assert (sums.disagreements, sums.sampled, sums.missing) == (3, 3, 2)  # one needs no label
    assert sums.known_weight == pytest.approx(sums.weight / 3)


def test_what_lies_beyond_the_scale_is_cut_off_and_kept() -> None:
    sums = PairedSums.of(np.array([0.5, -0.1, np.nan]), np.array([0.5, 0.1, 0.25]), scale=0.25)
    assert sums.total / SCORE_ONE == pytest.approx(1.0 - 0.4)
    assert sums.unknown / SCORE_ONE == pytest.approx(1.0 + 1.0)  # half of the first, and all of the last


def test_labels_of_a_sample_estimate_the_mean_of_all_rows() -> None:
    rng = np.random.default_rng(1)
    differences = rng.choice([-1.0, 0.0, 1.0], 200_000, p=[0.02, 0.93, 0.05])
    chosen = (differences != 0.0) & (rng.random(differences.size) < 0.2)
    unlabelled = np.where(chosen, differences, np.nan)
    sums = PairedSums.of(unlabelled, np.abs(differences), probability=0.2, chosen=chosen)
    assert sums.mean == pytest.approx(differences.mean(), abs=0.004)
    assert sums.unknown == 0
    assert sums.missing == 0
    assert sums.sampled == np.count_nonzero(chosen)


def test_no_rows_are_no_evidence() -> None:
    assert PairedSums.merged([]) == PairedSums.of(np.zeros(0)) == PairedSums()
    assert PairedSums().mean == PairedSums().variance == PairedSums().unknown_share == PairedSums().known_weight == 0.0
