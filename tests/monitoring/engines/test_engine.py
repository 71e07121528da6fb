"""Work is cut so that each piece is read once for each of its windows, whatever the tasks' size."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import dask
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.engines.codec import encoded
from monitoring.engines.task import LocalEngine
from monitoring.timestamps import as_microseconds
from tests.monitoring.engines.engine_rows import WINDOWS, Ready, by_window, ready
from tests.own_table import watch

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    return ready(watch(tmp_path_factory.mktemp("watched")), tmp_path_factory.mktemp("live"))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.integers(1, 500))
def test_every_piece_of_every_window_is_in_one_task(deployed: Ready, rows: int) -> None:
    pairs = [(part.window, number) for work in deployed.work(rows) for part in work.parts for number in part.numbers]
    wanted = {
        (window, extent.number)
        for window in WINDOWS
        for extent in deployed.table.extents
        if extent.last >= as_microseconds(window.start) and extent.first < as_microseconds(window.end)
    }
    assert len(pairs) == len(wanted)
    assert set(pairs) == wanted
    for work in deployed.work(rows):
        assert {number for part in work.parts for number in part.numbers} == {one.number for one in work.extents}


def test_partials_of_any_cut_add_up_to_the_same(deployed: Ready, tmp_path: Path) -> None:
    whole = by_window(LocalEngine(), deployed.recipe, deployed.work(10**9))
    assert sum(one.read.rows for one in whole.values()) == 6 * 60
    for rows in (1, 60, 130):
        cut = by_window(LocalEngine(), deployed.recipe, deployed.work(rows))
        assert cut.keys() == whole.keys()
        for start, partial in cut.items():
            other = whole[start]
            assert partial.sums.answered.counts == other.sums.answered.counts
            assert partial.read == other.read
            for name, counts in other.sums.answered.tally.counts.items():
                assert (partial.sums.answered.tally.counts[name] == counts).all(), name


def test_equal_tasks_give_equal_bytes(deployed: Ready) -> None:
    first, second = (
        [encoded(one, deployed.recipe) for one in LocalEngine().gather(deployed.recipe, deployed.work(100))]
        for _ in range(2)
    )
    assert first == second


@pytest.mark.slow
def test_the_engine_of_the_page_about_scale_gives_the_same_bytes_on_dask(deployed: Ready) -> None:
    (code,) = re.findall(
        r"^```python\n(from itertools.*?)^```", (ROOT / "docs/scale.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    names: dict[str, Any] = {}
    exec(compile(code, "docs/scale.md", "exec"), names)  # noqa: S102 - a page of this repository
    work = deployed.work(60)
    assert len(work) > 3
    with dask.config.set(scheduler="processes", num_workers=2):
        found = [
            encoded(one, deployed.recipe) for one in names["DaskEngine"]({}, lambda: None).gather(deployed.recipe, work)
        ]
    assert found == [encoded(one, deployed.recipe) for one in LocalEngine().gather(deployed.recipe, work)]
