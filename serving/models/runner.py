"""A SavedModel behind a session callable: tensors in, tensors out.

A session's callable answers one row in 33 to 70 µs, the loaded signature function in 260 to 420, and only the callable
has the error texts of TensorFlow Serving. It is a private method of the session; should a later release remove it,
`Session.run` is used instead.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, final

import numpy as np

from serving.models.batch_settings import BatchSettings
from serving.models.foreign_formats import GRAPHS, advice_for
from serving.models.gpus import GpuSettings
from serving.models.op_libraries import why_unknown
from serving.models.operations.graph_check import INITIALISER, UNKNOWABLE, outside_assets, refusals
from serving.models.signatures import ELEMENT_TYPES, ElementType, Signature, TensorSpec
from serving.status import Code, Failure

Array = np.ndarray[Any, Any]
GraphCall = Callable[[Sequence[Array]], Sequence[Array]]
_Key = tuple[str, tuple[str, ...], tuple[str, ...]]

# TensorFlow's bindings iterate over strings by numpy 1's limit; a rank that only numpy 2 allows crashes the process.
MAX_RANK = 32
#: Among allowed operations: all of them.
ANY_OPERATION = "*"
_CODES = {code.value: code for code in Code}


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadSettings:
    """How many threads TensorFlow uses for a model; 0 is TensorFlow's choice, by the number of cores."""

    within: int = 0
    """Within one operation."""
    between: int = -1
    """Between operations. -1: a run's operations stay in the calling thread. A hand-over costs a small model ten times
    its own work (130 instead of 11 µs for one row); a large model still uses the threads within an operation."""


class LoadError(Exception):
    """A version folder cannot be loaded; the message is the reason, for the status page and the operator."""

    def __init__(self, message: str, code: Code = Code.UNKNOWN) -> None:
        super().__init__(message)
        self.code = code


@final
class Runner:
    """One loaded SavedModel.

    `run` may be called from any thread; the graph releases the GIL while it computes. TensorFlow is imported by the
    first `Runner` (4 to 10 s), not by this module.

    Args:
        gpus: How much memory of a GPU the session takes.
        method: The session's private callable, or its public ``run``, which is slower.

    Raises:
        LoadError: The folder holds no SavedModel with these tags, it is damaged, or its graph has an operation that is
            refused or unknown.
    """

    def __init__(
        self,
        path: Path,
        *,
        tags: Sequence[str] = ("serve",),
        threads: ThreadSettings | None = None,
        gpus: GpuSettings | None = None,
        method: Literal["callable", "run"] = "callable",
        allowed_operations: Collection[str] = (),
    ) -> None:
        import tensorflow as tf  # noqa: PLC0415 - loaded by the first model only
        from tensorflow.python.saved_model.loader_impl import SavedModelLoader  # noqa: PLC0415 - as above

        self._errors = tf.errors
        self._method = method
        graph = tf.Graph()
        used = threads or ThreadSettings()
        settings = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=used.within,
            inter_op_parallelism_threads=used.between,
            gpu_options=(gpus or GpuSettings()).options(),
        )
        self._session = tf.compat.v1.Session(graph=graph, config=settings)
        try:
            loader = SavedModelLoader(str(path))
            self._meta_graph = loader.get_meta_graph_def_from_tags(tags)
            check_meta_graph(self._meta_graph, allowed_operations)
            saver, _ = loader.load_graph(graph, list(tags))
            # Nothing has run yet. What TensorFlow made of the message is checked, too: that is what will run.
            check_meta_graph(_imported(self._meta_graph, graph, saver), allowed_operations)
            loader.restore_variables(self._session, saver)
            loader.run_init_ops(self._session, list(tags))
        except LoadError:
            self._session.close()
            raise
        except (tf.errors.OpError, OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
            self._session.close()
            advice = "" if any((path / name).is_file() for name in GRAPHS) else advice_for(path)
            raise LoadError(f"{getattr(error, 'message', None) or error} {advice}".strip()) from error
        self.signatures: Mapping[str, Signature] = {
            name: read_signature(name, definition)
            for name, definition in sorted(self._meta_graph.signature_def.items())
            if name != INITIALISER
        }
        self.batching: BatchSettings | None = None
        """How its requests are batched; None for the server's settings."""
        self._calls: dict[_Key, GraphCall] = {}
        self._making = threading.Lock()

    @property
    def signature_definitions(self) -> Mapping[str, Any]:
        """Every ``tensorflow.SignatureDef`` of the model, that of its initialiser included, for the metadata."""
        definitions: Mapping[str, Any] = self._meta_graph.signature_def
        return definitions

    @property
    def meta_graph(self) -> Any:
        """The model's ``tensorflow.MetaGraphDef``."""
        return self._meta_graph

    @property
    def graph_definition(self) -> Any:
        """The model's ``tensorflow.GraphDef``."""
        return self._meta_graph.graph_def

    def run(self, signature: Signature, inputs: Mapping[str, Array], outputs: Sequence[str]) -> dict[str, Array]:
        """Run the graph.

        Shapes and types are not compared with the signature: the graph refuses what does not fit.

        Args:
            inputs: Arrays by input name; strings are object arrays of bytes.

        Raises:
            Failure: The graph's error, with its own code and text; or a tensor has more than 32 dimensions.
        """
        feeds = tuple(sorted(inputs))
        fetches = tuple(outputs)
        key = (signature.name, feeds, fetches)
        tensors = [inputs[name] for name in feeds]
        if any(tensor.ndim > MAX_RANK for tensor in tensors):
            raise Failure(Code.INVALID_ARGUMENT, f"A tensor of more than {MAX_RANK} dimensions cannot be run.")
        try:
            call = self._calls.get(key) or self._make_once(key, signature)
            values = call(tensors)
        except self._errors.OpError as error:
            raise Failure(_code(error.error_code), error.message) from error
        except (ValueError, TypeError) as error:
            # `Session.run` compares shapes first; the callable refuses what numpy cannot make a tensor of.
            raise Failure(Code.INVALID_ARGUMENT, str(error)) from error
        return {name: _array(value) for name, value in zip(fetches, values, strict=True)}

    def close(self) -> None:
        """Free the session's memory. A run that has not ended fails; a second call does nothing."""
        self._calls.clear()
        self._session.close()

    def _make_once(self, key: _Key, signature: Signature) -> GraphCall:
        """Make the callable for these names, or return the one that was made before."""
        with self._making:
            call = self._calls.get(key)
            if call is None:
                _, feeds, fetches = key
                _refuse_parts(signature, feeds, fetches)
                call = self._calls[key] = self._make(
                    [signature.inputs[name].graph_name for name in feeds],
                    [signature.outputs[name].graph_name for name in fetches],
                )
            return call

    def _make(self, feeds: list[str], fetches: list[str]) -> GraphCall:
        make = getattr(self._session, "_make_callable_from_options", None) if self._method == "callable" else None
        if make is None:
            session = self._session
            return lambda values: session.run(fetches, dict(zip(feeds, values, strict=True)))
        from tensorflow.core.protobuf import config_pb2  # noqa: PLC0415 - loaded above

        call = make(config_pb2.CallableOptions(feed=feeds, fetch=fetches))
        return lambda values: call(*values)


def check_meta_graph(meta_graph: Any, allowed: Collection[str]) -> None:
    """Check a graph before any of it runs.

    Args:
        meta_graph: A ``tensorflow.MetaGraphDef``.

    Raises:
        LoadError: It has operations that are not allowed or that TensorFlow does not have, or assets elsewhere.
    """
    unknown = why_unknown(meta_graph)
    if unknown:
        raise LoadError(unknown, Code.NOT_FOUND)
    refused = () if ANY_OPERATION in allowed else refusals(meta_graph, allowed)
    if refused:
        reasons = {
            reason: [refusal.operation for refusal in refused if refusal.reason == reason] for _, reason in refused
        }
        listed = "; ".join(f"{', '.join(names)} ({reason})" for reason, names in reasons.items())
        flags = " ".join(f"--allow-op {operation}" for operation, _ in refused)
        if not UNKNOWABLE.isdisjoint(reasons):
            flags = "--allow-any-op"
        raise LoadError(f"The graph has operations that are not allowed: {listed}. If you trust the model: {flags}")
    outside = outside_assets(meta_graph)
    if outside:
        raise LoadError(f"The graph names an asset outside of its folder: {', '.join(outside)}")


def _imported(meta_graph: Any, graph: Any, saver: Any) -> Any:
    """A ``tensorflow.MetaGraphDef`` with the graph that TensorFlow has imported, and the saver that it uses."""
    imported = type(meta_graph)(
        signature_def=meta_graph.signature_def,
        collection_def=meta_graph.collection_def,
        asset_file_def=meta_graph.asset_file_def,
        graph_def=graph.as_graph_def(),
    )
    if saver is not None:
        imported.saver_def.CopyFrom(saver.saver_def)
    return imported


def _refuse_parts(signature: Signature, inputs: Sequence[str], outputs: Sequence[str]) -> None:
    """Raise `Failure` for tensors that have no name of their own in the graph, but several parts that do."""
    specs = [signature.inputs[name] for name in inputs] + [signature.outputs[name] for name in outputs]
    parts = [spec.name for spec in specs if not spec.graph_name]
    if parts:
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"Signature {signature.name} has tensors of several parts (coo_sparse or composite_tensor), which a "
            f"request cannot name: {', '.join(parts)}. Export a signature whose tensors are the parts, each dense.",
        )


def read_signature(name: str, definition: Any) -> Signature:
    """Convert a ``tensorflow.SignatureDef`` message to a `Signature`."""
    return Signature(
        name=name,
        method=definition.method_name,
        inputs={key: _read_tensor(key, definition.inputs[key]) for key in sorted(definition.inputs)},
        outputs={key: _read_tensor(key, definition.outputs[key]) for key in sorted(definition.outputs)},
    )


def _read_tensor(name: str, info: Any) -> TensorSpec:
    shape = None if info.tensor_shape.unknown_rank else tuple(dimension.size for dimension in info.tensor_shape.dim)
    kind = ELEMENT_TYPES.get(info.dtype) or ElementType(number=info.dtype, name=f"type {info.dtype}", numpy=None)
    return TensorSpec(name=name, graph_name=info.name, element=kind, shape=shape)


def _array(value: Any) -> Array:
    """A fetched value as an array: scalars come as Python's or numpy's own."""
    return value if isinstance(value, np.ndarray) else np.array(value, object if isinstance(value, bytes) else None)


def _code(number: int) -> Code:
    """The graph's own status code; a number that gRPC does not know is UNKNOWN."""
    return _CODES.get(number, Code.UNKNOWN)
