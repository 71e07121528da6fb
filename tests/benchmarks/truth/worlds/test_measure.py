from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from benchmarks.truth.worlds.harms import Quiet
from benchmarks.truth.worlds.laws import HeavyTails
from benchmarks.truth.worlds.measure import Cells, Stream


def test_a_stream_has_the_same_days_each_time_and_correlated_ones_where_asked() -> None:
    stream = Stream(world=HeavyTails(rows=20), number=3, quiet=Quiet(coefficient=0.7))
    first, again = (next(iter(stream.days(5, 1))) for _ in range(2))
    assert (first.labels == again.labels).all()
    effects = stream.effects(3000)
    products = [a * b for a, b in pairwise(effects)]
    assert 0.6 < sum(products) / sum(one * one for one in effects) < 0.8


def test_cells_are_read_again(tmp_path: Path) -> None:
    cells = Cells(tmp_path / "cells.json")
    cells.put("a", [1.0])
    assert "a" in Cells(tmp_path / "cells.json")
    assert Cells(tmp_path / "cells.json").values == {"a": [1.0]}
