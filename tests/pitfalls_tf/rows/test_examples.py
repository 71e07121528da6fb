"""Encoded rows: whole, finite, and taken by position, mask and domain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.rows.examples import Examples, Shape
from pitfalls_tf.rows.table import Table
from tests.pitfalls_tf.small_examples import rows


def test_rows_are_taken_with_all_that_belongs_to_them() -> None:
    examples = rows(30, seed=0)
    assert examples.shape == Shape(inputs=(6,), tokens=(1, 1, 1, 3), classes=2, domains=2)
    some = examples.take(np.array([7, 3]))
    assert (some.inputs == examples.inputs[[7, 3]]).all()
    assert some.times.tolist() == examples.times[[7, 3]].tolist()
    north = examples.domain("north")
    assert north.names == ("north",)
    assert len(north) == len(examples.where(examples.domains == "north")) == 10
    with pytest.raises(BadInput, match=r"east.*north, south"):
        examples.domain("east")


def test_gaps_and_ragged_columns_are_refused() -> None:
    examples = rows(30, seed=0)
    spoilt = examples.inputs.copy()
    spoilt[4, 1] = np.nan
    with pytest.raises(BadInput, match="1 of 30 rows"):
        replace(examples, inputs=spoilt)
    with pytest.raises(BadInput, match="different lengths"):
        replace(examples, targets=examples.targets[:-1])
    huge = np.full_like(examples.inputs, 3e38)
    assert len(replace(examples, inputs=huge)) == 30


def test_a_table_is_encoded_as_its_training_rows_say(few_flights: Table) -> None:
    from pitfalls_tf.rows import feature_encoding

    half = few_flights.take(np.arange(0, len(few_flights), 2))
    encoding = feature_encoding.fit(half.rows, half.features)
    examples = Examples.from_table(few_flights, encoding)
    assert examples.inputs.shape == (len(few_flights), encoding.width)
    assert sum(examples.tokens) == encoding.width
    assert (examples.targets == few_flights.targets()).all()
    assert examples.names == tuple(sorted(set(few_flights.domains.to_pylist())))
    assert examples.times[0] == np.datetime64(few_flights.rows["event_time"][0].as_py().replace(tzinfo=None))
