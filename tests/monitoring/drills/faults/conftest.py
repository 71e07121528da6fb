"""A deployment to plant faults in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitoring.drills.faults.fault import FaultScope
from tests.small_deployment import SPEC, Days, table_of


@pytest.fixture(scope="session")
def scope() -> FaultScope:
    """The small deployment: a number, a category, two classes."""
    rows = table_of(Days(days=20))
    return FaultScope(
        spec=SPEC,
        sample=rows,
        slices=("origin",),
        horizon=timedelta(days=7),
        span=timedelta(days=30),
        length=timedelta(hours=1),
    )


@pytest.fixture
def bare(scope: FaultScope) -> FaultScope:
    """A model that answers classes alone, without inputs and labels, in windows of so many rows."""
    spec = replace(SPEC, features=(), has_probabilities=False)
    rows = scope.sample.slice(0, 0)
    return replace(scope, spec=spec, sample=rows, slices=(), span=None, length=None)
