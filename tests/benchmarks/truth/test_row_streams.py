from __future__ import annotations

import numpy as np
import pytest

from benchmarks.truth import monitor_peers as peers
from benchmarks.truth.row_streams import ERROR, RowStream


def test_a_stream_has_its_error_rate_and_its_harm() -> None:
    stream, rng = RowStream(name="", rows=4000, inputs=2, worse=0.1, over=15), np.random.default_rng(3)
    known, live = stream.windows(40, rng, live=False), stream.windows(15, rng, live=True)
    assert peers.error_rates(known).mean() == pytest.approx(ERROR, abs=0.005)
    assert peers.error_rates(live)[-1] == pytest.approx(ERROR + 0.1, abs=0.03)
    assert peers.inputs_of(known[0]) == ["x0", "x1"]


@pytest.mark.parametrize("harm", [{}, {"worse": 0.1, "over": 4}, {"worse_slice": 0.2}, {"shift": 0.3}])
def test_summaries_drawn_directly_have_the_distribution_of_those_computed_from_rows(harm: dict[str, float]) -> None:
    stream = RowStream(name="", rows=400, inputs=2, **harm)  # type: ignore[arg-type]  # over is a whole number
    rng = np.random.default_rng(5)
    count = 60
    drawn = stream.summaries(200, count, rng, live=True)
    frames = stream.windows(count, rng, live=True)
    rates = peers.error_rates(frames)
    assert drawn.errors.mean() == pytest.approx(rates.mean(), abs=4 * rates.std() / np.sqrt(count))
    assert drawn.errors[:, 10:].std() == pytest.approx(rates[10:].std(), rel=0.35)
    sliced = np.array([(f["prediction"] != f["label"])[:100].mean() for f in frames])
    assert drawn.slice_errors.mean() == pytest.approx(sliced.mean(), abs=4 * sliced.std() / np.sqrt(count))
    uniform = np.sort(np.random.default_rng(6).normal(size=20_000))
    ranks = np.array([np.searchsorted(uniform, f["x0"].to_numpy()).mean() / uniform.size for f in frames])
    assert drawn.ranks[:, :, 0].mean() == pytest.approx(ranks.mean(), abs=0.01)
    assert drawn.ranks[:, 10:, 0].std() == pytest.approx(ranks[10:].std(), rel=0.35)


@pytest.mark.parametrize(("over", "shares"), [(1, [1.0, 1.0, 1.0]), (2, [0.5, 1.0, 1.0]), (4, [0.25, 0.5, 0.75])])
def test_a_harm_grows_in_equal_steps(over: int, shares: list[float]) -> None:
    stream = RowStream(name="", rows=50, inputs=1, worse=0.1, over=over)
    assert [stream.harm_share(number) for number in range(3)] == shares
