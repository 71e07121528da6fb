"""A training small enough for a test: a dozen days of flights, every fortieth row, a tiny network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pitfalls_tf.rows.folds import Folds
from pitfalls_tf.training import named_setups
from pitfalls_tf.training.named_setups import Mlp, Optimisation, Setup

if TYPE_CHECKING:
    from pitfalls_tf.rows.table import Table


@pytest.fixture(scope="session")
def few_flights() -> Table:
    """Rows of twelve winter days, two of them a storm with many cancelled flights."""
    table = named_setups.FLIGHTS.load()
    days = table.days.to_numpy(zero_copy_only=False).astype("datetime64[D]")
    inside = (days >= np.datetime64("2013-02-01")) & (days < np.datetime64("2013-02-13"))
    return table.take(np.flatnonzero(inside)[::40])


@pytest.fixture
def small(few_flights: Table, monkeypatch: pytest.MonkeyPatch) -> Setup:
    """The setup `small`, registered, whose rows are `few_flights`."""
    setup = replace(
        named_setups.FLIGHTS,
        name="small",
        network=Mlp(hidden=(8, 4), dropout=0.2),
        optimisation=Optimisation(epochs=2, batch=64, learning_rate=0.01, weight_decay=0.01),
        folds=Folds(count=3, block_days=2, seed=1),
    )
    monkeypatch.setattr("pitfalls_tf.sources.flights.load", lambda: few_flights)
    monkeypatch.setattr(named_setups, "SETUPS", {setup.name: setup})
    return setup
