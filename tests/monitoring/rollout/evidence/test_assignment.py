"""Assignment by hash, and the check that rows were assigned as planned."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, kstest

from monitoring.rollout.evidence.assignment import MISMATCH, assigned, is_mismatch, log_ratio_evidence, position

keys = st.text(max_size=20)
share_pairs = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted)


@given(keys, keys, share_pairs)
def test_a_key_of_a_smaller_share_is_one_of_every_larger_share(salt: str, key: str, shares: list[float]) -> None:
    smaller, larger = shares
    assert 0.0 <= position(salt, key) < 1.0
    assert position(salt, key) >= smaller or assigned(salt, [key], larger).all()


@given(keys, st.lists(keys, max_size=10), st.floats(0, 1))
def test_many_keys_are_assigned_as_each_is_by_itself(salt: str, several: list[str], share: float) -> None:
    expected = [position(salt, key) < share for key in several]
    assert assigned(salt, several, share).tolist() == expected
    assert assigned(salt, pa.array(several, pa.string()), share).tolist() == expected


def test_positions_are_uniform_and_those_of_two_salts_have_nothing_to_do_with_each_other() -> None:
    one, other = (np.array([position(salt, f"user {n}") for n in range(5_000)]) for salt in ("a", "b"))
    assert kstest(one, "uniform").pvalue > 0.001
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.05


def test_a_planned_ratio_is_questioned_at_any_look_no_more_often_than_promised() -> None:
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(400):
        counts = rng.binomial(200, 0.1, size=100).cumsum()
        looks = [log_ratio_evidence([count, 200 * (look + 1) - count], [0.1, 0.9]) for look, count in enumerate(counts)]
        wrong += max(looks) >= math.log(20)
    assert wrong <= binom.ppf(0.999, 400, 1 / 20)


def test_a_version_that_loses_some_of_its_rows_is_a_mismatch() -> None:
    assert MISMATCH == 1000
    assert not is_mismatch([50_000, 50_200], [0.5, 0.5])
    assert is_mismatch([50_000, 47_500], [0.5, 0.5])
    assert not is_mismatch([0, 0], [0.25, 0.75])
