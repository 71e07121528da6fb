"""Selection rates of groups: their sums, and a gap that opens without any label."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.config import load_config
from monitoring.errors import InvalidSettings
from monitoring.records import SCORE_ONE, WatchKey
from monitoring.sentences.incident_text import incident_text
from monitoring.watches.selection import SelectionGaps
from tests.own_table import Watched, own_rows, watch
from tests.small_deployment import Days

GAPS = SelectionGaps(groups={"sex": ("f", "m")})


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=40), st.integers(0, 40))
def test_a_gap_is_the_rate_of_a_group_less_that_of_all_however_rows_are_cut(
    rows: list[tuple[int, bool]], cut: int
) -> None:
    codes, chosen = np.array([code for code, _ in rows]), np.array([selected for _, selected in rows])
    answers = np.stack([~chosen, chosen], axis=1).astype(float)
    parts = [GAPS.tally(answers[part], {"sex": codes[part]}) for part in (slice(cut), slice(cut, None))]
    sums, squares = GAPS.sums_of(parts[0] + parts[1]), GAPS.sums_of(parts[0] + parts[1], power=2)
    for code, (watch_of_group, name) in enumerate(zip(GAPS.watches, GAPS.names, strict=True)):
        inside, total = codes == code, sums[WatchKey(watch=name)]
        scores = (1.0 + chosen[inside] - chosen.mean()) / 2.0
        assert total.rows == inside.sum()
        if total.rows:
            assert watch_of_group.value(total.mean) == pytest.approx(chosen[inside].mean() - chosen.mean(), abs=1e-8)
            assert squares[WatchKey(watch=name)].total / SCORE_ONE == pytest.approx((scores**2).sum(), abs=1e-8)


def with_groups(watched: Watched, columns: str) -> Watched:
    config = watched.adopted.config
    config.write_text(config.read_text().replace("[traffic]\n", f"[traffic]\nselection_groups = {columns}\n", 1))
    return watched


def favoured(table: pa.Table, origin: str, by: float) -> pa.Table:
    """Rows in which one origin's log odds of the last class are raised, and the others' lowered by as much."""
    late = np.asarray(table["late"], dtype=np.float64)
    odds = np.log(late / (1.0 - late)) + np.where(np.asarray(table["origin"]) == origin, by, -by)
    late = 1.0 / (1.0 + np.exp(-odds))
    for name, values in (("late", late), ("on_time", 1.0 - late)):
        table = table.set_column(table.column_names.index(name), name, pa.array(values.astype(np.float32)))
    return table


def without_labels(table: pa.Table) -> pa.Table:
    for name in ("y", "known_at"):
        table = table.set_column(table.column_names.index(name), name, pa.nulls(len(table), table[name].type))
    return table


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Callable[[float], Watched]:
    """Makes a deployment with groups, and twelve days without labels in which JFK is favoured."""

    def made(by: float) -> Watched:
        watched = with_groups(watch(tmp_path_factory.mktemp("groups")), '["origin"]')
        watched.live("a.parquet", without_labels(favoured(own_rows(Days(days=12)), "JFK", by)))
        return watched

    return made


def test_a_gap_that_opens_is_a_notice_that_names_the_group(judged: Callable[[float], Watched]) -> None:
    _, found = judged(1.0).run()
    incidents = [incident for incident in found.incidents if incident.watch.startswith("selection:")]
    assert [incident.level for incident in incidents] == ["notice"]
    assert incident_text(incidents[0]).cause.startswith("Selection rate gap of origin = ")
    assert "how often the model chooses the last class for these rows" in incident_text(incidents[0]).message


def test_without_a_gap_nothing_is_told(judged: Callable[[float], Watched]) -> None:
    _, found = judged(0.0).run()
    assert not any(incident.watch.startswith("selection:") for incident in found.incidents)


def test_groups_are_slices(tmp_path: Path) -> None:
    watched = with_groups(watch(tmp_path), '["kind"]')
    with pytest.raises(InvalidSettings, match="selection rates are compared between slices"):
        load_config(watched.adopted.config)
