"""A client written for Keras's own export needs no change for a bundle: REST and gRPC, each kind of input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest
from tensorflow import make_ndarray

from serving.export.export import export_bundle
from serving.export.manifest import Provenance
from serving.models.loading import load_version
from serving.models.version_folders import discover
from serving.models.versions import Models
from tests.serving.export_model import now
from tests.serving.grpc_api.conftest import predict_request
from tests.serving.memory_log import MemoryLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serving.grpc_api.conftest import OpenSite, Site

#: Every kind of input with what a client of Keras's own export sends: one value a row is a list of one.
SENT: dict[str, Any] = {
    "km": np.array([[3.5], [0.5], [12.0]], np.float32),
    "items": np.array([[2], [0], [7]], np.int32),
    "vehicle": np.array([[b"bike"], [b"car"], [b"?"]], object),
    "vector": np.array([[1.0, 0.0, 2.0]] * 3, np.float32),
    "history": np.linspace(-1.0, 1.0, 24, dtype=np.float32).reshape(3, 4, 2),
    "image": np.arange(3 * 4 * 4 * 1, dtype=np.float32).reshape(3, 4, 4, 1) / 48.0,
}


def every_kind() -> keras.Model:
    """A model of one input of each kind, and two outputs."""
    keras.utils.set_random_seed(3)
    kinds = {"items": "int32", "vehicle": "string"}
    inputs = {
        name: keras.Input(value.shape[1:], name=name, dtype=kinds.get(name, "float32")) for name, value in SENT.items()
    }
    parts = [
        inputs["km"],
        keras.ops.cast(inputs["items"], "float32"),
        keras.layers.StringLookup(vocabulary=["bike", "car"], output_mode="one_hot")(inputs["vehicle"]),
        inputs["vector"],
        keras.layers.GRU(2)(inputs["history"]),
        keras.layers.GlobalAveragePooling2D()(inputs["image"]),
    ]
    joined = keras.layers.Concatenate()(parts)
    outputs = {
        "minutes": keras.layers.Dense(1, name="minutes")(joined),
        "kind": keras.layers.Dense(3, activation="softmax", name="kind")(joined),
    }
    return keras.Model(inputs, outputs)


LOG = MemoryLog()


@pytest.fixture(scope="module")
def both(open_site: OpenSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server of one model twice: `keras` by Keras's own export, `bundle` by ours."""
    folder: Path = tmp_path_factory.mktemp("both")
    model = every_kind()
    model.export(str(folder / "keras" / "1"), verbose=False)
    export_bundle(model, folder=folder / "bundle", reference=None, provenance=Provenance(), clock=now)
    models = Models(lambda: discover(folder, {}), load=load_version, report=lambda _: None)
    models.poll()
    with open_site(writer=LOG, served=models) as site:
        yield site
    models.close()


def as_json(value: Any) -> Any:
    return np.char.decode(value.astype(np.bytes_)).tolist() if value.dtype == object else value.tolist()


def close(answers: Any, others: Any) -> None:
    assert answers.keys() == others.keys()
    for name, values in answers.items():
        np.testing.assert_allclose(values, others[name], rtol=1e-5)


@pytest.mark.parametrize("form", ["instances", "inputs"])
def test_rest_answers_as_keras_own_export_does(both: Site, form: str) -> None:
    rows = [{name: as_json(value[row]) for name, value in SENT.items()} for row in range(3)]
    columns = {name: [row[name] for row in rows] for name in SENT}
    document = {"instances": rows} if form == "instances" else {"inputs": columns}
    found = [both.website.predict(model, document) for model in ("keras", "bundle")]
    own, ours = (reply.json["predictions" if form == "instances" else "outputs"] for reply in found)
    for one, other in [(own, ours)] if form == "inputs" else zip(own, ours, strict=True):
        close(one, other)


def test_grpc_answers_as_keras_own_export_does(both: Site) -> None:
    own, ours = (
        {
            name: make_ndarray(value)
            for name, value in both.predictions.Predict(predict_request(model, SENT)).outputs.items()
        }
        for model in ("keras", "bundle")
    )
    close(own, ours)
    assert {name: value.shape for name, value in own.items()} == {name: value.shape for name, value in ours.items()}


@pytest.mark.parametrize("name", ["km", "items", "vehicle"])
def test_one_value_a_row_may_be_a_list_of_one_or_not_for_each_input(both: Site, name: str) -> None:
    mixed = {**SENT, name: SENT[name][:, 0]}
    before = len(LOG.appends)
    one, other = (both.predictions.Predict(predict_request("bundle", sent)) for sent in (SENT, mixed))
    assert one.outputs == other.outputs
    logged = [rows.inputs[name] for rows in LOG.appends[before:]]
    assert [value.shape for value in logged] == [(3,), (3,)]
    assert logged[0].tolist() == logged[1].tolist()


def test_more_than_one_value_where_one_is_expected_is_refused(both: Site) -> None:
    row = {name: as_json(value[0]) for name, value in SENT.items()} | {"km": [1.0, 2.0]}
    assert both.website.predict("bundle", {"instances": [row]}).status == 400
