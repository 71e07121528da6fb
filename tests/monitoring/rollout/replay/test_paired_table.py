"""Tables with the answers of two versions: rows of both, or a refusal that names the version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.errors import BadInput
from monitoring.onboarding.table_description import described
from monitoring.rollout.replay.paired_table import PairedTable, read_pairs
from monitoring.tasks.task import NO_LABEL

ROWS = 60
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def table(path: Path, **columns: Any) -> Path:
    """A table of two classes whose versions have probabilities `a` and `b`."""
    rng = np.random.default_rng(0)
    times = [datetime(2026, 3, 1 + place % 20, 12, tzinfo=UTC) for place in range(ROWS)]
    plain: dict[str, Any] = {
        "ts": times,
        "y": rng.integers(0, 2, ROWS),
        "a": rng.random(ROWS),
        "b": rng.random(ROWS),
        "origin": ["JFK", "LGA"] * (ROWS // 2),
    }
    pq.write_table(pa.table({name: value for name, value in (plain | columns).items() if value is not None}), path)
    return path


A, B = {"scores": ("a",)}, {"scores": ("b",)}


def read(path: Path, champion: Mapping[str, Any] = A, candidate: Mapping[str, Any] = B, **said: Any) -> PairedTable:
    versions = (described(**{"event_time": "ts", "label": "y", **said, **answers}) for answers in (champion, candidate))
    return read_pairs(path, *versions, clock=lambda: NOW)


def test_rows_have_the_answers_of_both_versions_in_order_of_time(tmp_path: Path) -> None:
    path = table(tmp_path / "t.parquet", prediction_id=[f"p{place}" for place in range(ROWS)])
    found = read(path, slices=("origin",))
    whole = pq.read_table(path).to_pydict()
    places = [int(word[1:]) for word in found.rows.rows.ids.to_pylist()]
    assert sorted(places) == list(range(ROWS))
    assert (np.diff(found.rows.rows.event_times) >= 0).all()
    for column, answers in (("a", found.rows.champion), ("b", found.rows.candidate)):
        np.testing.assert_array_equal(answers[:, 1], [whole[column][place] for place in places])
    np.testing.assert_array_equal(found.rows.labels, [whole["y"][place] for place in places])
    assert found.slices == {"origin": ("JFK", "LGA")}


def test_repeats_and_rows_without_a_usable_answer(tmp_path: Path) -> None:
    ids = ["same", "same", *(f"p{place}" for place in range(ROWS - 2))]
    b = [None, None, None, 7.0, *np.linspace(0, 1, ROWS - 4)]
    y = [None, *np.arange(1, ROWS) % 2]
    found = read(table(tmp_path / "t.parquet", prediction_id=ids, b=b, y=y))
    assert len(found.rows) == ROWS - 1
    assert any("repeat" in note for note in found.notes)
    assert np.isnan(found.rows.candidate).all(axis=1).sum() in (2, 3)
    assert np.isfinite(found.rows.champion).all()
    assert (found.rows.labels == NO_LABEL).sum() <= 1


def test_rankings_of_two_lengths_have_the_longer_ones_places(tmp_path: Path) -> None:
    path = table(tmp_path / "t.parquet", y=["x"] * ROWS, a=[["x", "z"]] * ROWS, b=[["z", "w", "x"]] * ROWS)
    found = read(path, {"predicted": "a"}, {"predicted": "b"}, task="ranking")
    assert found.rows.champion.shape == found.rows.candidate.shape == (ROWS, 3)
    assert found.task.losses(found.rows.candidate, found.rows.labels)["recall_loss"].tolist() == [0.0] * ROWS


def test_errors_of_numbers_are_bounded_by_those_of_both_versions(tmp_path: Path) -> None:
    y = np.linspace(0.0, 10.0, ROWS)
    path = table(tmp_path / "t.parquet", y=y, a=y + 1.0, b=y + 4.0)
    found = read(path, {"predicted": "a"}, {"predicted": "b"})
    assert found.task.scales["absolute_error"] == pytest.approx(8.0)


@pytest.mark.parametrize(
    ("columns", "champion", "candidate", "said", "message"),
    [
        ({}, "a", "bb", {}, r"no such column.*Got bb.*Did you mean b\?"),
        ({}, "a", "b", {"label": "yy"}, r"no such column.*Got yy"),
        ({}, "a", "b", {"label_time": "known"}, r"no such column.*Got known"),
        ({}, "a", "b", {"slices": ("a",)}, r"cannot be a slice.*Got a"),
        ({}, "a", "origin", {}, r"The candidate's answers: no row has a usable answer.*--candidate-score"),
        ({"a": np.linspace(2, 9, ROWS)}, "a", "b", {}, r"The champion's answers: .*"),
        ({"y": ["u", "v"] * (ROWS // 2)}, "a", "b", {}, r"The champion's answers: the classes have to be named"),
        ({"y": [None] * ROWS}, "a", "b", {"classes": ("0", "1")}, r"No row has a label"),
        ({"ts": ["soon"] * ROWS}, "a", "b", {}, r"The column of event times holds no times"),
        ({"ts": [None] * ROWS}, "a", "b", {}, r"The column of event times holds no times"),
    ],
)
def test_what_does_not_fit_is_named(
    tmp_path: Path, columns: dict[str, Any], champion: str, candidate: str, said: dict[str, Any], message: str
) -> None:
    path = table(tmp_path / "t.parquet", **columns)
    with pytest.raises(BadInput, match=message):
        read(path, {"scores": (champion,)}, {"scores": (candidate,)}, **said)


def test_versions_that_answer_different_things_are_refused(tmp_path: Path) -> None:
    path = table(tmp_path / "t.parquet", c=np.zeros(ROWS))
    with pytest.raises(BadInput, match=r"The candidate's answers: the classes do not fit the table.*for 3 scores"):
        read(path, A, {"scores": ("a", "b", "c")})


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path / "t.parquet")
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    with pytest.raises(BadInput, match="The table is empty"):
        read(path)


def test_a_column_without_common_values_is_no_guard_and_said_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    path = tmp_path / "t.parquet"
    rows = 3 * ROWS
    pq.write_table(
        pa.table(
            {
                "ts": [datetime(2026, 3, 1, tzinfo=UTC)] * rows,
                "y": rng.integers(0, 2, rows),
                "a": rng.random(rows),
                "b": rng.random(rows),
                "user": [f"user {place}" for place in range(rows)],
            }
        ),
        path,
    )
    found = read(path, slices=("user",))
    assert found.slices == {}
    assert "The column user is no guard" in found.notes[-1]
