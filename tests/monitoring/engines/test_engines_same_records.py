"""Whatever engine reads the rows, and however they lie in files, the store says the same, to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import pytest

from monitoring.engines import gathering
from monitoring.engines.codec import decoded, encoded
from monitoring.engines.engine import Engine, Work, work_of
from monitoring.engines.partial import Partial
from monitoring.engines.processes import ProcessEngine
from monitoring.engines.recipe import Recipe, unpacked
from monitoring.engines.task import LocalEngine
from tests.monitoring.engines.engine_runs import Layout, Records, cut, delta, iceberg, one_file, run_in, same
from tests.own_table import Watched, watch

LAYOUTS: dict[str, Layout] = {
    "one file": one_file,
    "files by time": cut(1, files=5, group=97, shuffled=False),
    "files at random": cut(2, files=3, group=211, shuffled=True),
    "delta": delta,
    "iceberg": iceberg,
}


class WireEngine:
    """Runs tasks here, as an engine elsewhere would: all that goes there and back is bytes."""

    def gather(self, recipe: Recipe, work: Iterable[Work]) -> Iterator[Partial]:
        """See `Engine`."""
        there = unpacked(recipe.packed)
        for task in work:
            for partial_ in LocalEngine().gather(there, [task]):
                yield decoded(encoded(partial_, there), recipe)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    return watch(tmp_path_factory.mktemp("watched"))


@pytest.fixture(scope="module")
def expected(watched: Watched, tmp_path_factory: pytest.TempPathFactory) -> Records:
    """What the monitor's own stream comes to, on one file."""
    with pytest.MonkeyPatch.context() as patch:
        found = run_in(watched, tmp_path_factory.mktemp("expected"), one_file, None, patch)
    assert len(found.windows) >= 24
    assert any(one.level == "page" for one in found.incidents)
    kinds = {finding.kind for window in found.windows for finding in window.findings}
    assert {"unusable answers", "unknown labels", "respelled labels"} <= kinds
    return found


@pytest.mark.parametrize(
    ("layout", "rows"),
    [
        ("one file", 1),
        pytest.param("files by time", 700, marks=pytest.mark.slow),
        ("files at random", 10**9),
        pytest.param("delta", 900, marks=pytest.mark.slow),
        ("iceberg", 900),
    ],
)
def test_any_cut_into_tasks_and_any_layout_gives_the_same_records(
    layout: str, rows: int, watched: Watched, expected: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "work_of", partial(work_of, rows=rows))
    same(expected, run_in(watched, tmp_path, LAYOUTS[layout], WireEngine, monkeypatch))


def test_the_own_stream_does_not_depend_on_files(
    watched: Watched, expected: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    same(expected, run_in(watched, tmp_path, LAYOUTS["files at random"], None, monkeypatch))


ENGINES: dict[str, Callable[[], Engine]] = {"processes": partial(ProcessEngine, 2)}


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_gives_the_same_records(
    engine: str, watched: Watched, expected: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "work_of", partial(work_of, rows=500))
    same(expected, run_in(watched, tmp_path, LAYOUTS["files at random"], ENGINES[engine], monkeypatch))
