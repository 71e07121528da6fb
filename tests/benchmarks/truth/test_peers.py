from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.truth.peers import Sizes, alarms_on_means, cached_flags, resampled_alarms, standard_error
from benchmarks.truth.row_streams import RowStream


def test_years_of_a_growing_harm_take_each_step_at_its_time_and_full_harm_afterwards() -> None:
    stream = RowStream(name="", rows=50, inputs=1, worse=0.1, over=30)
    flags = np.array([False] * 5 + [True] * 5)
    found = resampled_alarms(stream, flags, 4, np.random.default_rng(1)).at
    assert found.shape == (4, 365)
    assert not found[:, :29].any()
    # From the last step on, windows are drawn from the second half, the fully harmed ones.
    assert found[:, 29:].any(axis=1).all()
    assert found[:, 29:].mean() > 0.8


def test_stored_flags_are_read_instead_of_computed_again(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    first = cached_flags(path, lambda: {"rule": np.array([True, False])})

    def unexpected() -> dict[str, np.ndarray]:
        raise AssertionError("computed again")

    second = cached_flags(path, unexpected)
    assert first["rule"].tolist() == second["rule"].tolist() == [True, False]


@given(flagged=st.integers(0, 40), windows=st.integers(1, 40))
def test_a_standard_error_is_positive_and_the_same_for_the_complement(flagged: int, windows: int) -> None:
    share = min(flagged, windows) / windows
    assert 0.0 < standard_error(share, windows) < 0.5
    assert standard_error(share, windows) == pytest.approx(standard_error(1.0 - share, windows))


def test_a_harm_is_detected_by_every_monitor_of_means() -> None:
    stream = RowStream(name="", rows=500, inputs=2, worse=0.1)
    found = alarms_on_means(stream, Sizes(streams=5, windows=1, slow_windows=1), np.random.default_rng(2), 365.0)
    assert [one.monitor for one in found] == [
        "this monitor, A = 365",
        "error rate, mean ± 3 SD",
        "CUSUM that knows both distributions, run length 365",
        "CUSUM that knows both distributions, the same run length",
    ]
    assert all(one.alarms.share_with_any(20) == 1.0 for one in found)
