from __future__ import annotations

import numpy as np
import pytest

from benchmarks.truth.rules import Cusum, calibrated, kolmogorov_flags, kolmogorov_p, outside_bands
from monitoring.records import WatchKey


def test_a_calibrated_cusum_has_the_requested_run_length() -> None:
    z = np.random.default_rng(1).normal(size=(400, 500))
    cusum = calibrated(1.0, z, 100.0)
    other = np.random.default_rng(2).normal(size=(400, 500))
    assert cusum.alarms(other).run_length == pytest.approx(100.0, rel=0.15)


def test_a_cusum_computed_by_hand() -> None:
    # Steps of rise 2: 2(z - 1): 2, -4 (floored at 0), 2, 2, and the alarm at 4 starts it again.
    cusum = Cusum(rise=2.0, threshold=4.0)
    assert cusum.alarms(np.array([[2.0, -1.0, 2.0, 2.0, 2.0]])).at[0].tolist() == [False, False, False, True, False]


def test_bands_flag_scores_beyond_three_deviations_in_the_watched_direction() -> None:
    key, both = WatchKey(watch="error"), WatchKey(watch="share")
    scores = {key: np.tile([0.0, 0.1], 20), both: np.tile([0.4, 0.5], 20)}
    directions = {key: "up", both: "both"}
    assert not outside_bands(scores, directions, {}).any()  # type: ignore[arg-type]  # literals in a dict
    assert outside_bands(scores, directions, {key: 0.3}).all()  # type: ignore[arg-type]  # as above
    assert not outside_bands(scores, directions, {key: -0.3}).any()  # type: ignore[arg-type]  # as above
    assert outside_bands(scores, directions, {both: -0.3}).all()  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize(("scaled", "p"), [(1.358, 0.05), (1.224, 0.10), (1.628, 0.01)])
def test_p_values_are_those_of_kolmogorovs_table(scaled: float, p: float) -> None:
    rows = 1e6
    assert kolmogorov_p(scaled / np.sqrt(rows), rows) == pytest.approx(p, rel=0.02)


def test_5_percent_of_equal_parts_and_every_shifted_part_are_flagged() -> None:
    rng = np.random.default_rng(3)
    column = rng.normal(size=40_000)
    column[::97] = np.nan
    parts = np.split(rng.permutation(column.size), 400)
    assert kolmogorov_flags([column], parts).mean() == pytest.approx(0.05, abs=0.035)
    moved = column.copy()
    moved[parts[0]] += 1.0
    assert kolmogorov_flags([moved], parts[:1]).all()
