from __future__ import annotations

import numpy as np
import pytest

from benchmarks import monitor_peers as peers
from benchmarks.row_streams import ERROR, RowStream


def windows(stream: RowStream, *, known: int = 40, live: int = 15) -> tuple[peers.Windows, peers.Windows]:
    rng = np.random.default_rng(3)
    return stream.windows(known, rng, live=False), stream.windows(live, rng, live=True)


def test_a_stream_has_its_error_rate_and_its_harm() -> None:
    known, live = windows(RowStream(name="", rows=4000, inputs=2, worse=0.1, over=15))
    assert peers.error_rates(known).mean() == pytest.approx(ERROR, abs=0.005)
    assert peers.error_rates(live)[-1] == pytest.approx(ERROR + 0.1, abs=0.03)
    assert peers.inputs_of(known[0]) == ["x0", "x1"]


@pytest.mark.parametrize("monitor", [peers.ours, peers.three_deviations, peers.bonferroni])
def test_rules_and_monitor_see_a_harm_and_are_quiet_without_one(monitor: object) -> None:
    assert callable(monitor)
    quiet = monitor(*windows(RowStream(name="", rows=500, inputs=2)))
    harmed = monitor(*windows(RowStream(name="", rows=500, inputs=2, worse=0.15)))
    assert quiet.shape == harmed.shape == (15,)
    # Bonferroni's promise is .05 in each window. The budgeted test starts anew after each alarm; rules go on alarming.
    assert quiet.sum() <= 3
    assert harmed[:5].any()
    assert monitor is peers.ours or harmed.sum() >= 12
