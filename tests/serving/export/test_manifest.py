"""The manifest says how a bundle was made, and its metrics."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from monitoring.baseline.benchmark import ReferenceMetric
from monitoring.baseline.metrics import area_under_curve
from monitoring.records import WHOLE
from serving.export.export import Bundle
from serving.export.inputs.model_inputs import ModelInput
from serving.export.manifest import Manifest, Provenance, environment, nest
from tests.serving.export_model import CLASSES, NOW, reference_table


def test_the_manifest_tells_how_it_was_made_and_how_good_it_was(bundle: Bundle) -> None:
    document = json.loads((bundle.path / "assets.extra/manifest.json").read_text())
    assert {
        key: document[key] for key in ("name", "created_at", "classes", "setup", "seed", "seeds", "data", "verdict")
    } == {
        "name": "flights",
        "created_at": NOW.isoformat(),
        "classes": list(CLASSES),
        "setup": {"name": "small"},
        "seed": 3,
        "seeds": [1, 2, 3],
        "data": {"digest": "d1"},
        "verdict": None,
    }
    assert document["environment"]["libraries"]["keras"] == keras.__version__
    assert isinstance(document["environment"]["onednn"], bool)
    assert {one["name"]: (one["dtype"], one["kind"]) for one in document["inputs"]} == {
        "carrier": ("string", "category"),
        "temp": ("float32", "number"),
        "dist": ("float32", "number"),
    }
    table = reference_table()
    known = np.array(table["label"].is_valid())
    late = np.stack(table["probabilities"].to_pylist())[known, 1]
    truth = np.array(table["label"].drop_null().to_pylist()) == "late"
    metrics = {one["metric"]: one for one in document["metrics"]}
    assert metrics["brier"]["mean"] == pytest.approx(((late - truth) ** 2).mean())
    assert metrics["auc"]["mean"] == area_under_curve(late, truth)
    assert (metrics["brier"]["rows"], metrics["brier"]["days"]) == (known.sum(), 10)
    assert set(metrics["brier"]["by_slice"]) == {"carrier=AA", "carrier=B6", "carrier=UA"}
    assert all(one["low"] < one["mean"] < one["high"] for one in metrics.values())


def metric(name: str, slice_: str, mean: float) -> ReferenceMetric:
    return ReferenceMetric(metric=name, slice=slice_, mean=mean, low=mean - 0.1, high=mean + 0.1, rows=3, days=2)


def test_each_metric_is_one_entry_with_its_slices() -> None:
    found = nest([metric("brier", WHOLE, 0.5), metric("error", WHOLE, 0.25), metric("brier", "carrier=UA", 0.75)])
    assert [(one["metric"], one["mean"], one["rows"]) for one in found] == [("brier", 0.5, 3), ("error", 0.25, 3)]
    assert found[0]["by_slice"] == {"carrier=UA": {"mean": 0.75, "low": 0.65, "high": 0.85, "rows": 3, "days": 2}}
    assert found[1]["by_slice"] == {}


def test_a_document_is_plain_json_and_no_number_that_json_lacks_is_written(tmp_path: Path) -> None:
    def manifest(mean: float) -> Manifest:
        return Manifest(
            name="m",
            created_at=NOW,
            provenance=Provenance(setup={"path": Path("a/b")}, verdict={"said": "better"}),
            environment=environment(deterministic_ops=True),
            inputs=(ModelInput(name="x", dtype="string", shape=(-1,)),),
            outputs=("outputs",),
            reference=None,
            metrics=(metric("brier", WHOLE, mean),),
        )

    manifest(0.5).write(tmp_path / "manifest.json")
    document = json.loads((tmp_path / "manifest.json").read_text("utf-8"))
    assert document["format"] == 1
    assert document["setup"] == {"path": "a/b"}
    assert document["verdict"] == {"said": "better"}
    assert document["inputs"] == [{"name": "x", "dtype": "string", "shape": [-1], "kind": "category"}]
    assert document["environment"]["deterministic_ops"] is True
    with pytest.raises(ValueError, match="not JSON compliant"):
        manifest(float("nan")).write(tmp_path / "nan.json")
