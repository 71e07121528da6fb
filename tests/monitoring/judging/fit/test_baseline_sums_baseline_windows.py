"""The baseline is fitted out of its file, and comes to what it comes to in memory, to the last bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from monitoring.baseline import reference
from monitoring.baseline.folder import REFERENCE as FILE
from monitoring.baseline.folder import Baseline, load_baseline
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.baseline.reference import InMemoryReference, ReferenceFile
from monitoring.config import load_config
from monitoring.deployment import baseline_in_use
from monitoring.deployment.deployment import deploy
from monitoring.deployment.places import find_baseline
from monitoring.judging.fit import baseline_sums
from tests.own_table import REFERENCE, Watched, own_rows, watch
from tests.small_deployment import Days


def plain(found: object) -> object:
    """Records, mappings and arrays as what can be compared to the bit."""
    if isinstance(found, np.ndarray):
        return (str(found.dtype), found.shape, found.tobytes())
    if is_dataclass(found) and not isinstance(found, type):
        return [(field.name, plain(getattr(found, field.name))) for field in fields(found)]
    if isinstance(found, Mapping):
        return sorted(((repr(key), plain(value)) for key, value in found.items()), key=lambda pair: pair[0])
    if isinstance(found, list | tuple):
        return [plain(each) for each in found]
    return repr(found) if type(found).__repr__ is not object.__repr__ else plain(vars(found))


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    return watch(tmp_path_factory.mktemp("fit"), own_rows(REFERENCE))


def fit(watched: Watched, monkeypatch: pytest.MonkeyPatch, given: Baseline, windows: dict[str, object]) -> object:
    config = load_config(watched.adopted.config)
    config = config.model_copy(update={"windows": config.windows.model_copy(update=windows)})
    monkeypatch.setattr(baseline_in_use, "load_baseline", lambda _: given)
    return plain(deploy(config).reference_fit)


@pytest.mark.parametrize("windows", [{}, {"rows": 41}])
@pytest.mark.parametrize("rows", [pytest.param(1, marks=pytest.mark.slow), 7, 1_000, None])
def test_the_fit_from_a_file_is_that_of_rows_in_memory_whatever_its_batches(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int | None, windows: dict[str, object]
) -> None:
    folder = find_baseline(load_config(watched.adopted.config)).baseline
    baseline = load_baseline(folder)
    held = fit(watched, monkeypatch, replace(baseline, rows=InMemoryReference(baseline.reference)), windows)
    again = tmp_path / "again.parquet"
    pq.write_table(pq.read_table(folder / FILE), again, row_group_size=(rows or 100) * 5)
    monkeypatch.setattr(reference, "COLUMNS", 2)
    monkeypatch.setattr(baseline_sums, "WINDOWS_IN_MEMORY", 3)
    filed = replace(baseline, rows=ReferenceFile(again, baseline.spec, rows=rows))
    assert fit(watched, monkeypatch, filed, windows) == held


def test_rows_of_the_file_are_those_in_memory(watched: Watched) -> None:
    folder = find_baseline(load_config(watched.adopted.config)).baseline
    baseline = load_baseline(folder)
    whole, names = baseline.reference, [feature.name for feature in baseline.spec.features]
    places = np.array([5, 3, 3, len(whole) - 1, 0])
    for rows in (2, None):
        some = ReferenceFile(folder / FILE, baseline.spec, rows=rows)
        taken, expected = some.take(places, names), whole.take(places)
        assert taken.ids.equals(expected.ids)
        assert taken.labels.tolist() == expected.labels.tolist()
        assert plain([column.to_pylist() for column in taken.features.columns]) == plain(
            [column.to_pylist() for column in expected.features.columns]
        )
        assert some.answers.event_times.tolist() == whole.event_times.tolist()
        assert sum(batch.num_rows for batch in some.batches()) == len(whole)


def test_a_table_without_inputs_has_the_same_tests_of_its_answers(watched: Watched, tmp_path: Path) -> None:
    """Without inputs the baseline's file has no column to count rows by: its windows have their rows all the same."""
    bare = own_rows(REFERENCE).select(["id", "ts", "on_time", "late", "y", "known_at"])
    alone = watch(tmp_path, bare, slices=())
    levels = deploy(load_config(alone.adopted.config)).reference_fit.tests
    whole = deploy(load_config(watched.adopted.config)).reference_fit.tests
    named = {level: {key.watch for key in test.tests} for level, test in levels.items()}
    assert {"output:late", "output:confidence"} <= named["notice"]
    assert {"error", "brier", "estimated_error", "estimated_brier"} <= named["page"]
    for level, test in levels.items():
        for key, one in test.tests.items():
            assert (one.windows, one.mean) == (whole[level].tests[key].windows, whole[level].tests[key].mean)
    alone.live("live.parquet", own_rows(Days(days=4, seed=3)).select(bare.column_names))
    _, found = alone.run()
    assert [window.rows for window in found.windows] == [60] * 4
    assert all(any(score.watch == "output:late" for score in window.scores) for window in found.windows)


def test_windows_without_inputs_count_their_rows(watched: Watched) -> None:
    baseline = load_baseline(find_baseline(load_config(watched.adopted.config)).baseline)
    windows = [np.array([4, 2]), np.array([], dtype=np.int64), np.array([7])]
    found = dict(baseline_sums.window_profiles(baseline.rows, ProfileBuilder(()), windows))
    assert {number: profile.rows for number, profile in found.items()} == {0: 2, 1: 0, 2: 1}
