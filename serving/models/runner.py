"""A SavedModel behind a session callable: tensors in, tensors out.

A session's callable answers one row in 33 to 70 µs where the loaded signature function needs 260 to 420, and it is
the only road whose error texts are those of TensorFlow Serving. It is a private method of the session, so
`Session.run` stands behind it, should a later release take it away.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np

from serving.models.signatures import ELEMENT_TYPES, ElementType, Signature, TensorSpec
from serving.status import Code, Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    Array = np.ndarray[Any, Any]
    GraphCall = Callable[[Sequence[Array]], Sequence[Array]]
    _Key = tuple[str, tuple[str, ...], tuple[str, ...]]

# Added to a SavedModel by TensorFlow for its own use: not a way to call the model.
INITIALISER = "__saved_model_init_op"
# TensorFlow's bindings walk strings by the limit of numpy 1, and the process dies of what numpy 2 allows beyond it.
MAX_RANK = 32
_CODES = {code.value: code for code in Code}


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadSettings:
    """How many threads TensorFlow uses for a model; 0 lets it choose by the machine's cores."""

    within: int = 0
    """Within one operation."""
    between: int = -1
    """Between operations. -1: a run's operations stay in the thread that asked for it. Handing a small model's over
    costs ten times the work itself (130 against 11 µs for one row); a large one still spreads from within."""


class LoadError(Exception):
    """A version folder that cannot be loaded; the message is the reason, for the status page and the operator."""


@final
class Runner:
    """One loaded SavedModel.

    `run` may be called from any thread; the graph releases the GIL while it computes. Importing this module is light:
    TensorFlow is imported when a `Runner` is constructed (4 to 10 s the first time).

    Raises:
        LoadError: the folder holds no SavedModel with these tags, or it is damaged.
    """

    def __init__(
        self,
        path: Path,
        *,
        tags: Sequence[str] = ("serve",),
        threads: ThreadSettings | None = None,
        road: Literal["callable", "run"] = "callable",
    ) -> None:
        import tensorflow as tf  # noqa: PLC0415 - loaded by the first model only

        self._errors = tf.errors
        self._road = road
        graph = tf.Graph()
        used = threads or ThreadSettings()
        settings = tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=used.within, inter_op_parallelism_threads=used.between
        )
        self._session = tf.compat.v1.Session(graph=graph, config=settings)
        try:
            with graph.as_default():
                self._meta_graph = tf.compat.v1.saved_model.loader.load(self._session, list(tags), str(path))
        except (tf.errors.OpError, OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
            self._session.close()
            raise LoadError(getattr(error, "message", None) or str(error)) from error
        self.signatures: Mapping[str, Signature] = {
            name: read_signature(name, definition)
            for name, definition in sorted(self._meta_graph.signature_def.items())
            if name != INITIALISER
        }
        self._calls: dict[_Key, GraphCall] = {}
        self._making = threading.Lock()

    @property
    def signature_definitions(self) -> Mapping[str, Any]:
        """Every ``tensorflow.SignatureDef`` of the model, its own included, as the metadata answer shows them."""
        definitions: Mapping[str, Any] = self._meta_graph.signature_def
        return definitions

    @property
    def graph_definition(self) -> Any:
        """The model's ``tensorflow.GraphDef``."""
        return self._meta_graph.graph_def

    def run(self, signature: Signature, inputs: Mapping[str, Array], outputs: Sequence[str]) -> dict[str, Array]:
        """Compute ``outputs`` (names of the signature) from ``inputs`` (every input of the signature, or those given).

        Strings are object arrays of bytes. Shapes and types are not compared with the signature: the graph decides.

        Raises:
            Failure: what the graph says, with its own code and text; or more than 32 dimensions.
        """
        feeds = tuple(sorted(inputs))
        fetches = tuple(outputs)
        key = (signature.name, feeds, fetches)
        call = self._calls.get(key) or self._keep(key, signature)
        tensors = [inputs[name] for name in feeds]
        if any(tensor.ndim > MAX_RANK for tensor in tensors):
            raise Failure(Code.INVALID_ARGUMENT, f"A tensor of more than {MAX_RANK} dimensions cannot be run.")
        try:
            values = call(tensors)
        except self._errors.OpError as error:
            raise Failure(_code(error.error_code), error.message) from error
        except (ValueError, TypeError) as error:
            # The fallback compares shapes before it runs; the callable refuses what numpy cannot turn into a tensor.
            raise Failure(Code.INVALID_ARGUMENT, str(error)) from error
        return {name: _array(value) for name, value in zip(fetches, values, strict=True)}

    def close(self) -> None:
        """Free the session's memory. A run that is still going on fails; a second call does nothing."""
        self._calls.clear()
        self._session.close()

    def _keep(self, key: _Key, signature: Signature) -> GraphCall:
        """Make the call for these names once, and remember it."""
        with self._making:
            call = self._calls.get(key)
            if call is None:
                _, feeds, fetches = key
                call = self._calls[key] = self._make(
                    [signature.inputs[name].graph_name for name in feeds],
                    [signature.outputs[name].graph_name for name in fetches],
                )
            return call

    def _make(self, feeds: list[str], fetches: list[str]) -> GraphCall:
        make = getattr(self._session, "_make_callable_from_options", None) if self._road == "callable" else None
        if make is None:
            session = self._session
            return lambda values: session.run(fetches, dict(zip(feeds, values, strict=True)))
        from tensorflow.core.protobuf import config_pb2  # noqa: PLC0415 - loaded above

        call = make(config_pb2.CallableOptions(feed=feeds, fetch=fetches))
        return lambda values: call(*values)


def read_signature(name: str, definition: Any) -> Signature:
    """Turn a ``tensorflow.SignatureDef`` message into a `Signature`."""
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
