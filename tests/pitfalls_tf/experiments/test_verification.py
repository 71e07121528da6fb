"""Committed experiments are repeated and compared."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.errors import BadInput, CannotRun
from pitfalls_tf.experiments import verification
from tests.pitfalls_tf.experiments.small_experiment import SMALL, clock

if TYPE_CHECKING:
    from pathlib import Path


def test_a_repeated_experiment_has_the_same_table_or_is_refused(
    reproduced: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "find", lambda _: (SMALL,))

    def again(manifest: Path) -> verification.VerifiedExperiment:
        return verification.verify(manifest, tmp_path / "again", clock=clock(), progress=lambda _: None)

    manifest = reproduced / "small" / "manifest.json"
    document = json.loads(manifest.read_text("utf-8"))
    (group,) = document["groups"]
    assert again(manifest).table_digests == (group["table_digest"],)
    assert again(manifest).code == "same code"
    changed = tmp_path / "manifest.json"
    for change, error, words in (
        ({"table_digest": "0"}, CannotRun, "same code"),
        ({"table_digest": "0", "code": ["other"]}, CannotRun, "different code"),
        ({"table_digest": "0"}, CannotRun, "same processor"),
        (
            {"table_digest": "0", "processor": {"model": "an abacus", "threads": 1}},
            CannotRun,
            "before an abacus, 1 thread",
        ),
        ({"table_digest": "0", "processor": None}, CannotRun, "processor unknown to the manifest"),
        ({"environment": {**group["environment"], "cores": 99}}, CannotRun, "cores"),
    ):
        changed.write_text(json.dumps({**document, "groups": [{**group, **change}]}), "utf-8")
        with pytest.raises(error, match=words):
            again(changed)
    changed.write_text(json.dumps({**document, "experiment": "smaller"}), "utf-8")
    for path in (changed, tmp_path / "none.json"):
        with pytest.raises(BadInput, match="Not the manifest of an experiment"):
            again(path)
    # A manifest of an earlier version has no groups.
    older = {"experiment": "small", "command": "pitfalls reproduce small", "quick": True, **group}
    changed.write_text(json.dumps(older), "utf-8")
    assert again(changed).table_digests == (group["table_digest"],)
    # With the committed table next to the manifest, the message says how far the tables differ.
    changed.write_text(json.dumps({**document, "groups": [{**group, "table_digest": "0"}]}), "utf-8")
    scores = pq.read_table(reproduced / "small" / "scores.parquet")
    moved = [value if index else value + 0.25 for index, value in enumerate(scores["value"].to_pylist())]
    column = scores.column_names.index("value")
    for table, words in (
        (scores, "all scores are the same, the values per epoch differ"),
        (scores.set_column(column, "value", pa.array(moved)), rf"1 of {len(scores)} scores differ, by at most 0\.25"),
        (scores.slice(1), f"{len(scores)} rows, whose keys differ from those of the {len(scores) - 1} committed rows"),
    ):
        pq.write_table(table, tmp_path / "scores.parquet")
        with pytest.raises(CannotRun, match=words):
            again(changed)
