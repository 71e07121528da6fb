from __future__ import annotations

import numpy as np

from benchmarks.truth.joint import THRESHOLD, Stream, _alarm, _fitted, _windows


def test_a_changed_sign_is_detected_soon_and_unchanged_streams_keep_the_budget_on_average() -> None:
    stream = Stream(windows=60, rows=200, inputs=2, correlation=0.8)
    delays, quiet = [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        witness, test = _fitted(rng, stream)
        delays.append(_alarm(witness, test, _windows(rng, stream, -stream.correlation)))
        quiet.append(_alarm(witness, test, _windows(rng, stream, stream.correlation)))
    assert max(delays) <= 10
    assert np.mean(quiet) > THRESHOLD
