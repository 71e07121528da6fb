"""Streams of described inputs: a day of each kind has its rows, and its change is a change."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.truth.input_kinds import KINDS, ROWS, Day


@pytest.mark.parametrize("name", KINDS)
def test_a_day_has_a_cell_a_row_and_is_drawn_by_its_generator(name: str) -> None:
    def day(*, changed: bool) -> dict[str, str]:
        drawn = KINDS[name].draw(Day(number=3, rng=np.random.default_rng(1), changed=changed))
        assert {len(cells) for cells in drawn.values()} == {ROWS}
        return {column: str(list(cells)[:20]) for column, cells in drawn.items()}

    assert day(changed=False) == day(changed=False) != day(changed=True)
