"""Metadata of the server, its models, and their inputs and outputs."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from serving.inference_v2.datatypes import datatype_of
from serving.models.signatures import DEFAULT_SIGNATURE
from serving.models.version_status import VersionState
from serving.status import Code, Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from serving.models.served_version import ServedVersion
    from serving.models.signatures import TensorSpec
    from serving.models.versions import Models

#: Triton's names; of the model repository extension only the index is offered.
EXTENSIONS = ("binary_tensor_data", "model_repository(index)")
STATES = {
    VersionState.START: "LOADING",
    VersionState.LOADING: "LOADING",
    VersionState.AVAILABLE: "READY",
    VersionState.UNLOADING: "UNLOADING",
    VersionState.END: "UNAVAILABLE",
}


@cache
def describe_server() -> dict[str, Any]:
    """Name, version and extensions of the server."""
    return {"name": "pitfalls", "version": version("pitfalls-tf"), "extensions": EXTENSIONS}


def list_models(models: Models) -> dict[str, Any]:
    """The names of all models, loaded or not, as KServe lists them."""
    return {"models": models.names}


def list_versions(models: Models, *, only_ready: bool) -> list[dict[str, str]]:
    """Every version of every model, as Triton's index lists them."""
    return [
        {"name": name, "version": str(one.number), "state": STATES[one.state], "reason": one.message}
        for name in models.names
        for one in models.statuses(name)
        if one.state is VersionState.AVAILABLE or not only_ready
    ]


def describe_model(served: ServedVersion, models: Models) -> dict[str, Any]:
    """Describe the inputs and outputs of a version's default signature.

    An open dimension is -1; a tensor of open rank has the shape [-1].

    Returns:
        The protocol's model metadata.

    Raises:
        Failure: FAILED_PRECONDITION: the version has no default signature.
    """
    signature = served.runner.signatures.get(DEFAULT_SIGNATURE)
    if signature is None:
        known = ", ".join(served.runner.signatures)
        raise Failure(Code.FAILED_PRECONDITION, f"Model {served.model} has no {DEFAULT_SIGNATURE}, only: {known}")
    return {
        "name": served.model,
        "versions": [str(number) for number in sorted(models.available(served.model))],
        "platform": "tensorflow_savedmodel",
        "inputs": _describe(signature.inputs),
        "outputs": _describe(signature.outputs),
    }


def _describe(tensors: Mapping[str, TensorSpec]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "datatype": datatype_of(tensor.element.name),
            "shape": [-1] if tensor.shape is None else list(tensor.shape),
        }
        for name, tensor in tensors.items()
    ]
