"""What products get to see of a day."""

from __future__ import annotations

import numpy as np

from benchmarks.truth.lender.law import calm_day
from benchmarks.truth.lender.peers import frame
from benchmarks.truth.monitor_peers import inputs_of, texts_of


def test_a_day_as_products_take_it() -> None:
    day = calm_day(1, np.random.default_rng(0))
    seen = frame(day)
    assert inputs_of(seen) == ["income", "amount", "age", "debt", "region", "channel"]
    assert texts_of(seen, inputs_of(seen)) == ["region", "channel"]
    assert float((seen["prediction"] != seen["label"]).mean()) == float(day.errors.mean())
