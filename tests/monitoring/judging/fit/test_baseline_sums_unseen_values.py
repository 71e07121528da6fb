"""Values that a baseline's window has and none of the others, and what live windows are compared with."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import no_predictions
from monitoring.baseline.profile import fit_bins
from monitoring.baseline.profile_builder import ProfileBuilder, profile
from monitoring.baseline.reference import InMemoryReference
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.judging.fit.baseline_sums import in_one_window, unseen_values

SPEC = BaselineSpec(classes=("a", "b"), features=(FeatureSpec(name="zip", kind="category"),))


def in_windows(values: int, window: int) -> list[np.ndarray]:
    return [np.arange(first, min(first + window, values)) for first in range(0, values, window)]


@given(st.lists(st.sampled_from("abcdefgü"), min_size=1, max_size=40), st.integers(1, 12))
def test_values_of_one_window_alone_are_those_that_no_other_window_has(values: list[str], window: int) -> None:
    windows = np.arange(len(values)) // window
    found = in_one_window(pa.array(values, pa.string()), windows).tolist()
    others = [{value for value, own in zip(values, windows, strict=True) if own != mine} for mine in windows]
    assert found == [value not in other for value, other in zip(values, others, strict=True)]


def baseline_of(values: list[str]) -> Baseline:
    rows = no_predictions(SPEC)
    column = pa.table({"zip": pa.array(values, pa.string())})
    rows = type(rows)(
        ids=pa.array([str(place) for place in range(len(values))]),
        event_times=np.arange(len(values)),
        features=column,
        probabilities=np.full((len(values), 2), 0.5),
        labels=np.full(len(values), -1),
        label_times=np.zeros(len(values), dtype=np.int64),
    )
    bins = fit_bins(rows, SPEC)
    return Baseline(spec=SPEC, bins=bins, profile=profile(rows, bins), rows=InMemoryReference(rows))


def test_a_long_tail_has_the_share_of_new_values_in_each_window_that_windows_to_come_have() -> None:
    """Of 8,000 products with a Zipf law, 30 windows of 300 rows: what live windows have, and with 30 % new ones."""
    rng = np.random.default_rng(0)
    chances = 1.0 / np.arange(1, 8_001) ** 0.8

    def draw(rows: int) -> list[str]:
        return [f"sku{value}" for value in rng.choice(8_000, rows, p=chances / chances.sum()).tolist()]

    baseline = baseline_of(draw(9_000))
    (found,) = unseen_values(baseline, in_windows(9_000, 300))
    assert found.vocabulary is not None
    builder = ProfileBuilder(baseline.bins, vocabularies={"zip": found.vocabulary})

    def share(words: list[str]) -> float:
        (counts,) = builder.count(pa.table({"zip": pa.array(words, pa.string())})).features
        return counts.never_seen / len(words)

    usual = found.counts.sum() / 9_000
    assert 0.2 < usual < 0.4
    assert share(draw(60_000)) == pytest.approx(usual, abs=0.01)
    words = draw(30_000)
    words[::3] = [f"new{place}" for place in range(len(words[::3]))]
    assert share(words) == pytest.approx(usual * 2 / 3 + 1 / 3, abs=0.03)


def test_counts_of_batches_add_up() -> None:
    words = [f"z{place}" for place in range(300)]
    baseline = baseline_of(words * 2)
    (found,) = unseen_values(baseline, in_windows(600, 100))
    assert found.vocabulary is not None
    builder = ProfileBuilder(baseline.bins, vocabularies={"zip": found.vocabulary})
    running = builder.begin()
    for part in (["z1", "z2"], ["new", None], ["z2", "new"]):
        running.add(pa.table({"zip": pa.array(part, pa.string())}))
    (counts,) = running.profile().features
    assert (counts.never_seen, counts.missing) == (2, 1)


def test_a_value_of_one_window_alone_is_unseen_there_and_common_ones_are_not_read() -> None:
    words = ["north", "south"] * 50
    assert list(unseen_values(baseline_of(words), in_windows(100, 20))) == []
    (found,) = unseen_values(baseline_of([*words[:-1], "east"]), in_windows(100, 20))
    assert (found.counts.tolist(), found.vocabulary) == ([0, 0, 0, 0, 1], None)
