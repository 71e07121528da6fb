"""Unlisted values of a baseline's window are counted by the list of the other windows' rows."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.folder import Baseline
from monitoring.baseline.predictions import no_predictions
from monitoring.baseline.profile import MAX_CATEGORIES, fit_bins
from monitoring.baseline.profile_builder import profile
from monitoring.baseline.reference import InMemoryReference
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.judging.fit.unlisted_values import count_unlisted, unlisted_values

SPEC = BaselineSpec(classes=("a", "b"), features=(FeatureSpec(name="zip", kind="category"),))


def in_windows(values: int, window: int) -> list[np.ndarray]:
    return [np.arange(first, min(first + window, values)) for first in range(0, values, window)]


def one_by_one(values: list[str | None], windows: list[np.ndarray], most: int) -> list[int]:
    found = []
    for mine in windows:
        rest = Counter(values[at] for other in windows if other is not mine for at in other if values[at] is not None)
        listed = [word for word, _ in sorted(rest.items(), key=lambda pair: (-pair[1], str(pair[0])))][:most]
        found.append(sum(values[at] is not None and values[at] not in listed for at in mine))
    return found


@given(st.lists(st.one_of(st.none(), st.sampled_from("abcdefgü")), max_size=40), st.integers(1, 12), st.integers(1, 5))
def test_counts_are_those_of_a_list_made_for_each_window(values: list[str | None], window: int, most: int) -> None:
    windows = in_windows(len(values), window)
    assert count_unlisted(pa.array(values, pa.string()), windows, most).tolist() == one_by_one(values, windows, most)


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


def test_a_column_of_many_equally_common_values_has_the_share_of_unlisted_ones_that_new_rows_have() -> None:
    rng = np.random.default_rng(0)
    words = [f"z{value}" for value in rng.integers(0, 1_000, 9_000)]
    baseline = baseline_of(words)
    ((name, counts),) = unlisted_values(baseline, in_windows(9_000, 300))
    in_sample = baseline.profile.features[0].counts[-1] / 9_000
    listed = set(baseline.bins[0].categories or ())
    to_come = np.mean([f"z{value}" not in listed for value in rng.integers(0, 1_000, 100_000)])
    assert (name, len(listed)) == ("zip", MAX_CATEGORIES)
    assert abs(counts.sum() / 9_000 - to_come) < 0.015
    assert to_come - in_sample > 0.08


def test_a_value_of_one_window_alone_is_unlisted_there_and_common_ones_are_not_read() -> None:
    words = ["north", "south"] * 50
    assert list(unlisted_values(baseline_of(words), in_windows(100, 20))) == []
    ((_, counts),) = unlisted_values(baseline_of([*words[:-1], "east"]), in_windows(100, 20))
    assert counts.tolist() == [0, 0, 0, 0, 1]
