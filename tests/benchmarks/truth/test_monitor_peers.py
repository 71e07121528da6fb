from __future__ import annotations

import numpy as np

from benchmarks.truth import monitor_peers as peers
from benchmarks.truth.row_streams import RowStream


def windows(stream: RowStream, *, known: int = 40, live: int = 15) -> tuple[peers.Windows, peers.Windows]:
    rng = np.random.default_rng(3)
    return stream.windows(known, rng, live=False), stream.windows(live, rng, live=True)


def test_the_rule_on_rows_detects_a_harm_and_is_mostly_quiet_without_one() -> None:
    quiet = peers.bonferroni(*windows(RowStream(name="", rows=500, inputs=2)))
    harmed = peers.bonferroni(*windows(RowStream(name="", rows=500, inputs=2, worse=0.15)))
    assert quiet.shape == harmed.shape == (15,)
    # Bonferroni's promise is .05 in each window.
    assert quiet.sum() <= 3
    assert harmed.sum() >= 12


def test_this_monitor_on_window_means_detects_a_harm_and_is_quiet_without_one() -> None:
    rng = np.random.default_rng(4)
    for worse, most, least in ((0.0, 0.2, 0.0), (0.1, 1.0, 1.0)):
        stream = RowStream(name="", rows=500, inputs=2, worse=worse)
        known, live = stream.summaries(30, 40, rng, live=False), stream.summaries(30, 20, rng, live=True)
        assert least <= peers.ours(known, live).any(axis=1).mean() <= most


def test_the_rule_on_rows_compares_texts_by_their_shares() -> None:
    known, live = windows(RowStream(name="", rows=500, inputs=1))
    rng = np.random.default_rng(6)
    for frame in known + live:
        frame["place"] = rng.choice(["here", "there"], len(frame))
    for frame in live[5:]:
        frame["place"] = np.where(rng.random(len(frame)) < 0.7, "here", frame["place"])
    flags = peers.bonferroni(known, live)
    assert flags[5:].all()
    assert flags[:5].sum() <= 1


def test_every_window_becomes_a_separate_day_for_a_product_that_splits_by_days() -> None:
    known, _ = windows(RowStream(name="", rows=50, inputs=1))
    days = peers.numbered(known)["day"]
    assert days.value_counts().tolist() == [50] * len(known)
    assert days.is_monotonic_increasing
