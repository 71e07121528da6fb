"""The named ways to train. A setup is data: everything that decides a run, apart from its seed."""

from __future__ import annotations

import difflib
import importlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from monitoring.errors import BadInput
from pitfalls_tf.rows.folds import Folds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pitfalls_tf.rows.table import Source, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Mlp:
    """Size and regularisation of a plain multilayer perceptron."""

    hidden: tuple[int, ...]
    dropout: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimisation:
    """AdamW at a constant rate for a fixed number of epochs: no held-out row decides when to stop."""

    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """A source's rows between two moments, a network, how it is optimised, and which days are held out."""

    name: str
    source: str
    start: datetime
    end: datetime
    network: Mlp
    optimisation: Optimisation
    folds: Folds

    def load(self) -> Table:
        """The rows this setup trains on. Cost: reading the whole source, about a second for flights."""
        source: Source = importlib.import_module(f"pitfalls_tf.sources.{self.source}")
        return source.load().between(self.start, self.end)


FLIGHTS: Final = Setup(
    name="flights",
    source="flights",
    # January to March 2013 by New York's calendar.
    start=datetime(2013, 1, 1, 5, tzinfo=UTC),
    end=datetime(2013, 4, 1, 4, tzinfo=UTC),
    network=Mlp(hidden=(64, 32), dropout=0.5),
    optimisation=Optimisation(epochs=6, batch=1024, learning_rate=4e-3, weight_decay=1e-2),
    folds=Folds(count=5, block_days=3, seed=2013),
)

SETUPS: Final[Mapping[str, Setup]] = {setup.name: setup for setup in (FLIGHTS,)}


def find(name: str) -> Setup:
    """The setup of that name.

    >>> find("flights").source
    'flights'

    Raises:
        BadInput: there is none; the message names the nearest.
    """
    if name in SETUPS:
        return SETUPS[name]
    near = difflib.get_close_matches(name, SETUPS, n=1)
    raise BadInput(
        "No such setup.",
        got=repr(name),
        expected=f"one of: {', '.join(SETUPS)}",
        fix=f"Did you mean {near[0]}?" if near else "Choose one of those.",
    )
