"""A training small enough for a test: a dozen days of flights, every fortieth row, in three folds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pitfalls_tf.rows.folds import Folds
from pitfalls_tf.sources import flights
from pitfalls_tf.training.setup import FLIGHTS, SETUPS, HeldOut, Setup

if TYPE_CHECKING:
    from pitfalls_tf.rows.table import Table


@pytest.fixture(scope="session")
def few_flights() -> Table:
    """Rows of twelve winter days, two of them a storm with many cancelled flights."""
    table = flights.load()
    days = table.days.to_numpy(zero_copy_only=False).astype("datetime64[D]")
    inside = (days >= np.datetime64("2013-02-01")) & (days < np.datetime64("2013-02-13"))
    return table.take(np.flatnonzero(inside)[::40])


@pytest.fixture
def small(few_flights: Table, monkeypatch: pytest.MonkeyPatch) -> Setup:
    """What `flights` stands for in this test: three folds of `few_flights`, in a folder named small."""
    setup = replace(
        FLIGHTS,
        known_as="small",
        epochs=2,
        batch=64,
        learning_rate=0.01,
        dropout=0.2,
        held_out=HeldOut(split="folds", folds=Folds(count=3, block_days=2, seed=1)),
    )
    monkeypatch.setattr("pitfalls_tf.sources.flights.load", lambda: few_flights)
    monkeypatch.setitem(SETUPS, "flights", setup)
    return setup
