"""A model of ids is exported with what it answers, in whatever form its ids are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.folder import load_baseline
from monitoring.errors import BadInput
from monitoring.tasks.registry import ranking_of
from serving.export.answers.ranked_reference import with_rankings
from serving.export.export import Reference, export_bundle
from serving.export.keras_model import KerasModel
from serving.export.manifest import Provenance
from serving.export.outputs.probabilities import PROBABILITIES
from serving.export.outputs.rankings import RankedOutput
from serving.export.reference_table import match_columns
from tests.serving.export_model import now
from tests.serving.ranking_model import NUMBERS, PLACES, TEXTS, ranking_model, ranking_reference

RANKED = RankedOutput(ids="ids", scores="scores", places=PLACES)


@pytest.mark.parametrize("ids", [TEXTS, NUMBERS], ids=["text", "whole numbers"])
def test_every_row_is_answered_with_codes_and_scores(ids: list[Any]) -> None:
    model = KerasModel(ranking_model(ids))
    given = Reference(table=ranking_reference(ids), label="clicked", task="ranking").with_lists()
    table, task = with_rankings(match_columns(given.table, model, given.label), model, RANKED)
    answers = np.stack(table[PROBABILITIES].to_pylist())
    assert answers.shape == (60, 2 * PLACES)
    assert [name for _, name in task.first] == sorted([str(ids[0]), str(ids[-1])])
    losses = task.losses(answers, task.label_codes(table["label"]))
    np.testing.assert_allclose(losses["recall_loss"], np.where(np.arange(60) % 2, 0.0, 0.5))
    np.testing.assert_allclose(losses["reciprocal_rank_loss"], np.where(np.arange(60) % 2, 0.5, 0.0))


def test_labels_that_are_never_answered_are_refused() -> None:
    model = KerasModel(ranking_model(TEXTS))
    places = pa.table({"x": [1.0, -1.0], "label": ["7", "0"]})
    with pytest.raises(BadInput, match="No label is ever among the answered ids") as refused:
        with_rankings(match_columns(places, model), model, RANKED)
    assert "--label" in refused.value.fix


def test_the_bundle_knows_its_ids_and_its_losses(tmp_path: Path) -> None:
    given = Reference(table=ranking_reference(TEXTS, 400), label="clicked", task="ranking")
    bundle = export_bundle(
        ranking_model(TEXTS), folder=tmp_path / "recs", reference=given, provenance=Provenance(), clock=now
    )
    spec = load_baseline(bundle.path / "assets.extra/baseline").spec
    task = ranking_of(spec.task)
    assert task is not None
    assert (spec.output, spec.id_scores, task.places, task.scored) == ("ids", "scores", PLACES, True)
    assert {one.metric: round(one.mean, 3) for one in bundle.metrics if not one.slice}["recall_loss"] == 0.25
    assert bundle.remarks[0] == "Output ids is interpreted as 3 ids, best first, and output scores as their scores."
    assert not any("does not watch" in remark for remark in bundle.remarks)


@pytest.mark.parametrize(
    ("said", "classes", "reason"),
    [
        ({"task": "ranking"}, ("a", "b"), "--classes a,b"),
        ({"score": "scores"}, (), "without --task ranking"),
        ({"task": "ranking", "label_columns": ("x", "clicked")}, (), "several label columns"),
    ],
    ids=["classes", "score", "columns"],
)
def test_what_is_no_ranking_is_refused_before_the_model_is_loaded(
    said: dict[str, Any], classes: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(BadInput, match="A ranking has an output of ids") as refused:
        Reference(table=ranking_reference(TEXTS), **said).check_task(classes)
    assert reason in refused.value.got
