"""The folder of a reproduced experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pitfalls_tf.experiments.reproduce import reproduce
from tests.pitfalls_tf.experiments.small_experiment import SIZE, SMALL, clock

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of the small experiment. Tests must not change it, except for adding runs to `.cells`."""
    out = tmp_path_factory.mktemp("reproduced")
    reproduce([SMALL], out, SIZE, clock=clock(), progress=lambda *_: None)
    return out
