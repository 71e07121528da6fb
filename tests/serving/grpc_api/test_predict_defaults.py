"""Signatures with default values, from which is taken what a request leaves out; and one without any input."""

# TensorFlow is untyped: its classes are Any to the type checker.
# mypy: disable-error-code="misc"

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import pytest
import tensorflow as tf

from serving.models.loading import load_version
from serving.models.version_folders import discover
from serving.models.versions import Models
from tests.serving.grpc_api.conftest import predict_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving.grpc_api.conftest import OpenSite, Site

USUAL = tf.constant(3.0)


@pytest.fixture(scope="module")
def site(open_site: OpenSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    def scaled(x: tf.Tensor, scale: tf.Tensor = USUAL) -> dict[str, tf.Tensor]:
        return {"y": x * scale}

    folder = tmp_path_factory.mktemp("models")
    module = tf.Module()
    module.scaled = tf.function(
        scaled, input_signature=[tf.TensorSpec([None], tf.float32, "x"), tf.TensorSpec([], tf.float32, "scale")]
    )
    module.nothing = tf.function(lambda: {"y": USUAL}, input_signature=[])
    signatures = {"serving_default": module.scaled, "nothing": module.nothing}
    tf.saved_model.save(module, str(folder / "m" / "1"), signatures=signatures)
    served = Models(lambda: discover(folder, {}), load=load_version, report=lambda _: None)
    served.poll()
    with open_site(served=served) as opened:
        yield opened
    served.close()


def ask(site: Site, **inputs: Any) -> list[float]:
    values = {name: np.array(value, np.float32) for name, value in inputs.items()}
    return list(site.predictions.Predict(predict_request("m", values)).outputs["y"].float_val)


def test_a_default_is_used_for_a_missing_input(site: Site) -> None:
    assert ask(site, x=[1, 2]) == [3.0, 6.0]
    assert ask(site, x=[1, 2], scale=2) == [2.0, 4.0]


@pytest.mark.parametrize("names", [("scale",), (), ("scale", "z")])
def test_an_input_without_a_default_must_be_given(site: Site, names: tuple[str, ...]) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        ask(site, **dict.fromkeys(names, 1.0))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == (
        "Signature input alias: x(feed name: serving_default_x:0) not found in request and no default value provided. "
        f"Inputs expected to be in the request {{{','.join(names)}}}, or default input alias set: scale"
    )


def test_metadata_shows_it_and_rest_wants_every_input(site: Site) -> None:
    document = site.website.send("GET", "/v1/models/m/metadata").json
    defaults = document["metadata"]["signature_def"]["signature_def"]["serving_default"]["defaults"]
    assert defaults["scale"]["float_val"] == [3.0]
    reply = site.website.predict("m", {"inputs": {"x": [1.0]}})
    assert (reply.status, reply.error) == (400, "Missing named input: scale in 'inputs' object.")


def test_a_signature_without_inputs_answers_over_grpc_only(site: Site) -> None:
    answer = site.predictions.Predict(predict_request("m", {}, signature="nothing"))
    assert list(answer.outputs["y"].float_val) == [3.0]
    reply = site.website.predict("m", {"signature_name": "nothing", "inputs": {}})
    assert (reply.status, reply.error) == (400, "Failed to get input map for signature: nothing")
