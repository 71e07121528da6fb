"""Metadata of the server, its models, and their inputs and outputs."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, final

from serving.inference_v2.tensors import datatype_of
from serving.models.served_version import VersionState
from serving.models.signatures import DEFAULT_SIGNATURE
from serving.models.version_folders import VersionPolicy
from serving.status import Code, Failure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from serving.metrics.merge import Statistics
    from serving.models.served_version import ServedVersion, VersionStatus
    from serving.models.signatures import Signature, TensorSpec
    from serving.models.version_folders import ModelSource
    from serving.models.versions import Models

    MergeStatistics = Callable[[Statistics], Awaitable[Statistics]]
    """Takes a process's own statistics of some versions; gives the sum over all processes."""

PLATFORM = "tensorflow_savedmodel"
#: Triton's names.
EXTENSIONS = ("binary_tensor_data", "model_configuration", "model_repository", "statistics")
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
        {"name": name, "version": str(status.number), "state": STATES[status.state], "reason": _reason(status)}
        for name in models.names
        if models.has_versions(name)
        for status in models.statuses(name)
        if status.state is VersionState.AVAILABLE or not only_ready
    ]


def _reason(status: VersionStatus) -> str:
    """Why a version is not available; as Triton says it where a client, or the version policy, unloaded it."""
    return status.message or ("unloaded" if status.state is VersionState.END else "")


def describe_model(served: ServedVersion, models: Models) -> dict[str, Any]:
    """Describe the inputs and outputs of a version's default signature.

    An open dimension is -1; a tensor of open rank has the shape [-1].
    """
    signature = _default_signature(served)
    return {
        "name": served.model,
        "versions": [str(number) for number in sorted(models.available(served.model))],
        "platform": PLATFORM,
        "inputs": _describe(signature.inputs),
        "outputs": _describe(signature.outputs),
    }


def describe_config(served: ServedVersion, source: ModelSource | None, max_batch_rows: int) -> dict[str, Any]:
    """Describe a version as the configuration of a model in Triton.

    Where the first dimension of every tensor is open and not its only one, it is the batch's and not among ``dims``.

    Args:
        source: Where its model's versions are; None if the model is no longer wanted.
        max_batch_rows: The most rows of a batch, unless the version has batching parameters of its own.
    """
    signature = _default_signature(served)
    batching = served.runner.batching
    tensors = (*signature.inputs.values(), *signature.outputs.values())
    has_batches = signature.is_batchable and all(
        tensor.shape is not None and len(tensor.shape) > 1 for tensor in tensors
    )
    document = {
        "name": served.model,
        "platform": PLATFORM,
        "backend": "tensorflow",
        "version_policy": _describe_policy(source.policy if source is not None else VersionPolicy()),
        "max_batch_size": (batching.max_rows if batching else max_batch_rows) if has_batches else 0,
        "input": _describe_dims(signature.inputs, has_batches=has_batches),
        "output": _describe_dims(signature.outputs, has_batches=has_batches),
    }
    return document | ({"dynamic_batching": {}} if has_batches else {})


def describe_statistics(models: Models, name: str, number: int | None) -> dict[str, Any]:
    """The statistics of loaded versions, in this process.

    Args:
        name: One model; empty for all.
        number: One version; None for all.
    """
    if name and not (number is None and models.available(name)):
        with models.lease(name, number) as served:
            return {"model_stats": [_statistics(served)]}
    statistics = []
    for model in (name,) if name else models.names:
        for available in models.available(model):
            try:
                with models.lease(model, available) as served:
                    statistics.append(_statistics(served))
            except Failure:  # unloaded meanwhile
                continue
    return {"model_stats": statistics}


def _statistics(served: ServedVersion) -> dict[str, Any]:
    return {"name": served.model, "version": str(served.number), **served.statistics.document()}


def _default_signature(served: ServedVersion) -> Signature:
    signature = served.runner.signatures.get(DEFAULT_SIGNATURE)
    if signature is None:
        names = ", ".join(served.runner.signatures)
        raise Failure(Code.FAILED_PRECONDITION, f"Model {served.model} has no {DEFAULT_SIGNATURE}, only: {names}")
    return signature


def _describe_policy(policy: VersionPolicy) -> dict[str, Any]:
    match policy.kind:
        case "all":
            return {"all": {}}
        case "specific":
            return {"specific": {"versions": list(policy.numbers)}}
        case _:
            return {"latest": {"num_versions": policy.count}}


def _describe_dims(tensors: Mapping[str, TensorSpec], *, has_batches: bool) -> list[dict[str, Any]]:
    return [
        {
            "name": tensor["name"],
            "data_type": f"TYPE_{tensor['datatype']}".replace("BYTES", "STRING"),
            "dims": tensor["shape"][int(has_batches) :],
        }
        for tensor in _describe(tensors)
    ]


def _describe(tensors: Mapping[str, TensorSpec]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "datatype": datatype_of(tensor.element.name),
            "shape": [-1] if tensor.shape is None else list(tensor.shape),
        }
        for name, tensor in tensors.items()
    ]


@final
class ModelStatistics:
    """Tells how often the versions of models were asked, and how long it took.

    Args:
        merge: Adds up several processes; None for a single one.
    """

    def __init__(self, models: Models, merge: MergeStatistics | None = None) -> None:
        self._models = models
        self._merge = merge

    async def describe(self, name: str, number: int | None) -> dict[str, Any]:
        """The statistics of one version, of a model, or of all; arguments and errors as of `describe_statistics`."""
        statistics = describe_statistics(self._models, name, number)
        return statistics if self._merge is None else {"model_stats": await self._merge(statistics["model_stats"])}
