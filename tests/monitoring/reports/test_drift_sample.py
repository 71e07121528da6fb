from __future__ import annotations

import numpy as np

from monitoring.reports.drift_sample import MOST_CATEGORIES, OTHER, drift_sample
from tests.monitoring.reports.drift_rows import SPEC, rows


def test_rare_categories_share_one_place_and_the_draw_repeats() -> None:
    many = [f"carrier {number:03}" for number in range(300)]
    now, then = rows(900, 1, shift=0.0, carriers=many), rows(900, 2, shift=0.0, carriers=many)
    first = drift_sample(now, then, spec=SPEC, rows=400, rng=np.random.default_rng(9))
    again = drift_sample(now, then, spec=SPEC, rows=400, rng=np.random.default_rng(9))
    assert first.current.equals(again.current)
    assert first.current["carrier"].nunique() <= MOST_CATEGORIES + 1
    assert OTHER in set(first.current["carrier"])
    assert len(first.current) == 400
