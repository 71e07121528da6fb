"""A SavedModel is a program: which of its operations are not allowed, before any of them runs.

Operations count wherever they stand: in the graph, in a function, and in a graph that a string holds. It is no sandbox:
an allowed operation whose native code has a defect, or that takes all memory and time, is not stopped here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from serving.models.operations.allowed_operations import ALLOWED, FROM_ASSETS, PROGRAMS, RESTORING, SAVING
from serving.models.operations.graph_index import GraphIndex, Place, node_name

# Added to a SavedModel by TensorFlow for its own use; not a signature to call.
INITIALISER = "__saved_model_init_op"
PRINTS = "PrintV2"
FORESTS = "SimpleMLLoadModelFromPathWithHandle"
ASSETS = "saved_model_assets"
_INITIALISERS = ("saved_model_main_op", "legacy_init_op")
_FILES = frozenset({*FROM_ASSETS, *RESTORING, *SAVING})

NOT_LISTED = "not one of those that only compute"
PRINTS_TO_FILE = "prints to a file"
NOT_AN_ASSET = "reads a file that is none of the model's assets, or not while the model is loaded"
NOT_ITS_CHECKPOINT = "reads a file that is not the model's checkpoint, or not while the model is loaded"
SAVES = "writes files when the model is loaded or called"
NAMES_RESOURCE = "names a resource that another operation has made"
NOT_CONSTANT = "runs a graph that is no constant"


class Refusal(NamedTuple):
    """An operation that the graph must not have, or not in this place."""

    operation: str
    reason: str


def refusals(meta_graph: Any, allowed: Collection[str] = ()) -> tuple[Refusal, ...]:
    """Find what a graph must not do.

    Args:
        meta_graph: A ``tensorflow.MetaGraphDef``.

    >>> from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef
    >>> graph = MetaGraphDef()
    >>> _ = graph.graph_def.node.add(op="MatMul"), graph.graph_def.node.add(op="ReadFile")
    >>> refusals(graph)
    (Refusal(operation='ReadFile', reason='not one of those that only compute'),)
    """
    index = GraphIndex(meta_graph.graph_def)
    reasons: dict[str, str] = {}
    for operation, reason in (
        *_unlisted(index),
        *_printing(index),
        *_naming(index),
        *_of_strings(index),
        *_reading(index, meta_graph),
        *_saving(index, meta_graph),
    ):
        if operation not in allowed:
            reasons.setdefault(operation, reason)
    fed = {
        node_name(tensor.name)
        for definition in meta_graph.signature_def.values()
        for tensor in definition.inputs.values()
    }
    reasons |= dict(_programs(index, fed))  # whatever is allowed: nobody can know what these run
    return tuple(Refusal(*item) for item in sorted(reasons.items()))


def outside_assets(meta_graph: Any) -> tuple[str, ...]:
    """Find assets that are not in the version's own folder of assets."""
    names = [asset.filename for asset in _assets(meta_graph)]
    return tuple(name for name in names if name.startswith("/") or ".." in name.split("/"))


def _assets(meta_graph: Any) -> Iterator[Any]:
    """The model's assets, each a ``tensorflow.AssetFileDef``; in old models they are in a collection."""
    from tensorflow.core.protobuf.meta_graph_pb2 import AssetFileDef  # noqa: PLC0415 - loaded by the first model only

    yield from meta_graph.asset_file_def
    if ASSETS in meta_graph.collection_def:
        for packed in meta_graph.collection_def[ASSETS].any_list.value:
            asset = AssetFileDef()
            if packed.Unpack(asset):
                yield asset


def _unlisted(index: GraphIndex) -> Iterator[Refusal]:
    for operation in index.operations():
        if operation not in ALLOWED and operation not in _FILES:
            yield Refusal(operation, NOT_LISTED)


def _printing(index: GraphIndex) -> Iterator[Refusal]:
    for place in index.places():
        if place.node.op == PRINTS and place.node.attr["output_stream"].s.startswith(b"file"):
            yield Refusal(PRINTS, PRINTS_TO_FILE)


def _naming(index: GraphIndex) -> Iterator[Refusal]:
    """Constants that are handles: a graph of TensorFlow's has none, and nobody can follow them."""
    from tensorflow.core.framework import types_pb2  # noqa: PLC0415 - loaded by the first model only

    for place in index.places():
        for value in place.node.attr.values():
            if value.HasField("tensor") and value.tensor.dtype == types_pb2.DT_RESOURCE:
                yield Refusal(place.node.op, NAMES_RESOURCE)


def _reading(index: GraphIndex, meta_graph: Any) -> Iterator[Refusal]:
    """Operations that read a file other than an asset or the checkpoint, or that a client's request may run."""
    readers = [place for place in index.places() if place.node.op in FROM_ASSETS or place.node.op in RESTORING]
    if not readers:
        return
    called = {(place.function, place.node.name) for place in index.reachable(_signature_tensors(meta_graph))}
    assets = {node_name(asset.tensor_info.name) for asset in _assets(meta_graph)}
    checkpoint = {node_name(meta_graph.saver_def.filename_tensor_name)}
    for place in readers:
        operation = place.node.op
        if operation in FROM_ASSETS:
            number, allowed, reason = FROM_ASSETS[operation], assets, NOT_AN_ASSET
        else:
            number, allowed, reason = RESTORING[operation], checkpoint, NOT_ITS_CHECKPOINT
        origins = index.origins(place, number, passes=_shortens if operation == FORESTS else _hands_on)
        is_own = all(origin is not None and not origin.function and origin.node.name in allowed for origin in origins)
        if not is_own or (place.function, place.node.name) in called:
            yield Refusal(operation, reason)


def _hands_on(node: Any) -> bool:
    return bool(node.op == "Identity")


def _shortens(node: Any) -> bool:
    """A folder of assets is named by one of its files, whose name is cut off."""
    return _hands_on(node) or bool(node.op == "StaticRegexReplace" and not node.attr["rewrite"].s)


def _saving(index: GraphIndex, meta_graph: Any) -> Iterator[Refusal]:
    if not index.operations() & SAVING:
        return
    starts = [*_signature_tensors(meta_graph), *_loading(meta_graph)]
    for place in index.reachable(starts):
        if place.node.op in SAVING:
            yield Refusal(place.node.op, SAVES)


def _programs(index: GraphIndex, fed: Collection[str] = ()) -> Iterator[Refusal]:
    """Operations that run a graph that is no constant, or that a client may give instead of the constant."""
    for place in index.places():
        number = PROGRAMS.get(place.node.op)
        if number is None:
            continue
        for origin in index.origins(place, number):
            is_fed = origin is not None and not origin.function and origin.node.name in fed
            if origin is None or origin.node.op != "Const" or is_fed:
                yield Refusal(place.node.op, NOT_CONSTANT)


def _of_strings(index: GraphIndex) -> Iterator[Refusal]:
    """The operations of graphs that strings of the graph hold."""
    for place in index.places():
        for text in _strings(place):
            inner = _graph_in(text)
            if inner is not None:
                yield from _unlisted(inner)
                yield from _printing(inner)
                yield from _programs(inner)
                yield from _of_strings(inner)
                yield from (Refusal(name, NOT_AN_ASSET) for name in inner.operations() & _FILES)


def _strings(place: Place) -> Iterator[bytes]:
    from tensorflow.core.framework import types_pb2  # noqa: PLC0415 - loaded by the first model only

    for value in place.node.attr.values():
        yield value.s
        yield from value.list.s
        if value.HasField("tensor") and value.tensor.dtype == types_pb2.DT_STRING:
            yield from value.tensor.string_val
            if value.tensor.tensor_content:
                import tensorflow as tf  # noqa: PLC0415 - as above

                packed = tf.io.parse_tensor(value.tensor.SerializeToString(), tf.string)
                yield from tf.reshape(packed, [-1]).numpy()


def _graph_in(text: bytes) -> GraphIndex | None:
    """The graph that a string holds: a message of nodes, of which TensorFlow knows an operation at least."""
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - loaded by the first model only
    from tensorflow.core.framework.graph_pb2 import GraphDef  # noqa: PLC0415 - as above
    from tensorflow.python.framework import op_def_registry  # noqa: PLC0415 - as above

    try:
        graph = GraphDef.FromString(text)
    except DecodeError:
        return None
    index = GraphIndex(graph)
    return index if any(op_def_registry.get(name) is not None for name in index.operations()) else None


def _signature_tensors(meta_graph: Any) -> Iterator[str]:
    """What clients' requests run."""
    for name, signature in meta_graph.signature_def.items():
        if name != INITIALISER:
            yield from (tensor.name for tensor in signature.outputs.values())


def _loading(meta_graph: Any) -> Iterator[str]:
    """What runs while the model is loaded."""
    initialiser = meta_graph.signature_def.get(INITIALISER)
    if initialiser is not None:
        yield from (tensor.name for tensor in initialiser.outputs.values())
    for key in _INITIALISERS:
        yield from meta_graph.collection_def[key].node_list.value if key in meta_graph.collection_def else ()
    yield meta_graph.saver_def.restore_op_name
