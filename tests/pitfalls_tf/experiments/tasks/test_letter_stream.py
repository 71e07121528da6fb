"""The stream of letters."""

from __future__ import annotations

import numpy as np
import pytest

from pitfalls_tf.experiments.tasks import letter_stream, letter_tasks
from pitfalls_tf.experiments.tasks.letter_stream import LetterStream
from pitfalls_tf.sources import letters


@pytest.fixture(scope="module")
def stream() -> LetterStream:
    return letter_stream.stream(quick=True)


def test_families_arrive_on_their_day_and_stay(stream: LetterStream) -> None:
    days = ((stream.deployed_times - letter_stream.START) // np.timedelta64(1, "D")).astype(int)
    for family, first in stream.arrivals.items():
        seen = days[stream.deployed.domains == family]
        assert seen.min() >= first
        assert letter_stream.DAYS - seen.max() <= 10
    usual = {*letter_tasks.families().trained, *letter_tasks.families().left_out}
    quiet = set(stream.deployed.domains[days < letter_stream.QUIET_DAYS].tolist())
    assert quiet <= usual
    assert set(stream.baseline.names) <= usual


def test_an_arrived_family_takes_its_share(stream: LetterStream) -> None:
    days = ((stream.deployed_times - letter_stream.START) // np.timedelta64(1, "D")).astype(int)
    last = stream.deployed.domains[days >= letter_stream.DAYS - 2]
    share = float(np.isin(last, list(stream.arrivals)).mean())
    assert share == pytest.approx(letter_stream.SHARE * len(stream.arrivals), abs=0.15)


def test_no_row_of_the_stream_was_trained_on(stream: LetterStream) -> None:
    training, _ = letter_tasks.trained_rows(letters.load().examples)
    trained = {(row.tobytes(), name) for row, name in zip(training.inputs, training.domains, strict=True)}
    drawn = {(row.tobytes(), name) for row, name in zip(stream.baseline.inputs, stream.baseline.domains, strict=True)}
    # Two styles of a family may have a letter in common.
    assert len(drawn & trained) < 0.05 * len(drawn)


@pytest.mark.slow
def test_times_are_in_order_and_labels_come_later(stream: LetterStream) -> None:
    for times in (stream.baseline_times, stream.deployed_times):
        assert (np.diff(times) >= np.timedelta64(0, "us")).all()
    assert stream.baseline_times[-1] < letter_stream.START <= stream.deployed_times[0]
    table = letter_stream.stream_table(stream.deployed, stream.deployed_times)
    first = table.slice(0, 1).to_pylist()[0]
    assert first["label_time"] - first["event_time"] == letter_stream.LABEL_DELAY.item()
    assert np.array(first["image"]).shape == (20, 20, 1)
    assert first["label"] in stream.deployed.classes
