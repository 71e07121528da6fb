"""Answers that are made of several logged outputs: ids with their scores, and outputs beside the judged one."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from monitoring.baseline.predictions import Predictions
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.config.sections import ModelSection
from monitoring.sources.log_source import LogSource
from monitoring.tasks.id_codes import id_codes
from monitoring.tasks.ranking import Ranking
from monitoring.tasks.regression import Regression
from monitoring.tasks.task import WatchedOutput
from monitoring.timestamps import as_microseconds
from monitoring.traffic.descriptors.encoded_image import EncodedImageDescriptors
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.log.writer import TrafficWriter
from monitoring.traffic.windows import Window
from tests.small_deployment import LATER, LIVE

OUTPUTS: dict[str, Any] = {
    "ids": np.array([[b"a", b"b"], [b"c", b""]], object),
    "scores": np.array([[0.75, 0.5], [0.25, 0.0]], np.float32),
    "amount": np.array([1.5, 2.5], np.float32),
    "word": np.array([[b"low"], [b"high"]], object),
    "many": np.arange(20, dtype=np.float32).reshape(2, 10),
}


WINDOW = Window(start=LIVE, end=LATER)


def photo() -> bytes:
    """An image of 2 x 2 pixels."""
    found = io.BytesIO()
    Image.new("RGB", (2, 2)).save(found, "JPEG")
    return found.getvalue()


def logged(folder: Path, outputs: dict[str, Any]) -> None:
    """Two rows of a model, the first of which has labels that are ids."""
    writer, at = TrafficWriter(folder, clock=lambda: LATER), as_microseconds(LIVE)
    writer.append(
        AnsweredRows(
            model="own",
            version=1,
            signature="serving_default",
            request_ids=["r", "r"],
            rows=[0, 1],
            event_times_us=[at, at + 1],
            answered_at_us=at,
            latencies_us=[1, 1],
            inputs={"x": np.zeros(2, np.float32), "photo": np.array([photo(), b"\xff\xd8\xff none"], object)},
            outputs=outputs,
        )
    )
    writer.close()
    labels = LabelWriter(folder, clock=lambda: LATER)
    labels.append(["r:0"], ["b|z"], [at])
    labels.close()


def opened(folder: Path, **spec: Any) -> LogSource:
    return LogSource(folder, ModelSection(bundle=folder / "own"), BaselineSpec(classes=(), **spec), version=1)


def read(folder: Path, **spec: Any) -> Predictions:
    return opened(folder, **spec).read(WINDOW)[0]


def test_ids_and_scores_are_one_answer(tmp_path: Path) -> None:
    logged(tmp_path, OUTPUTS)
    task = Ranking(places=2, scored=True)
    rows = read(tmp_path, features=(), other_task=task, output="ids", id_scores="scores")
    assert rows.probabilities[:, 2:].tolist() == [[0.75, 0.5], [0.25, 0.0]]
    assert (rows.probabilities[:, :2] > 0).tolist() == [[True, True], [True, False]]
    found = task.losses(rows.probabilities[:1], task.label_codes(pa.chunked_array([["b|z"]])))
    assert (found["recall_loss"].tolist(), found["reciprocal_rank_loss"].tolist()) == ([0.5], [0.5])


def test_answered_ids_of_some_rows_are_known_by_their_codes(tmp_path: Path) -> None:
    logged(tmp_path, OUTPUTS)
    source = opened(tmp_path, features=(), other_task=Ranking(places=2, scored=True), output="ids", id_scores="scores")
    (code,) = id_codes(pa.array(["c"])).tolist()
    assert source.answered_ids(WINDOW, IdSet(pa.array(["r:1"])))[code] == "c"
    assert set(source.answered_ids(WINDOW, IdSet(pa.array(["r:0"]))).values()) == {"a", "b"}
    assert source.answered_ids(WINDOW, IdSet(pa.array(["gone"]))) == {}


def test_other_outputs_are_features_and_an_absent_one_is_a_problem(tmp_path: Path) -> None:
    kinds: dict[str, Any] = {
        "word": "category",
        "many mean": "number",
        "many deviation": "number",
        "many largest": "number",
    }
    spec: dict[str, Any] = {
        "other_task": Regression(),
        "output": "amount",
        "features": tuple(FeatureSpec(name=f"output {name}", kind=kind) for name, kind in kinds.items()),
        "other_outputs": (WatchedOutput(name="word", width=1), WatchedOutput(name="many", width=10)),
    }
    logged(tmp_path / "all", OUTPUTS)
    rows = read(tmp_path / "all", **spec)
    assert rows.probabilities.tolist() == [[1.5], [2.5]]
    assert rows.features["output word"].to_pylist() == ["low", "high"]
    assert rows.features["output many mean"].to_pylist() == pytest.approx([4.5, 14.5])
    narrow = read(tmp_path / "all", **spec | {"features": spec["features"][1:2]})
    assert narrow.features.column_names == ["output many mean"]
    logged(tmp_path / "fewer", {name: value for name, value in OUTPUTS.items() if name != "word"})
    assert read(tmp_path / "fewer", **spec).problems == (("output word", "absent"),)


def test_encoded_images_are_read_as_they_were_logged(tmp_path: Path) -> None:
    logged(tmp_path, OUTPUTS)
    described = EncodedImageDescriptors(source="photo")
    features = tuple(FeatureSpec(name=name, kind=kind, source="photo") for name, kind in described.kinds.items())
    source = opened(tmp_path, other_task=Regression(), output="amount", features=features, described=(described,))
    rows = source.read(WINDOW)[0]
    assert rows.problems == ()
    assert [(one.kind, one.feature) for one in source.findings(WINDOW)] == [("not an image", "photo")]
    assert rows.features["photo.width"].to_pylist() == pytest.approx([2.0, np.nan], nan_ok=True)
