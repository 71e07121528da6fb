"""A SavedModel is a program: which of its operations are not allowed, before any of them runs.

Operations count wherever they stand: in the graph, in a function, and in a graph that a string holds. It is no sandbox:
an allowed operation whose native code has a defect, or that takes all memory and time, is not stopped here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from serving.models.operations.allowed_operations import ALLOWED, DECODING, FROM_ASSETS, PROGRAMS, RESTORING, SAVING
from serving.models.operations.graph_form import OF_FORM, Refusal, defaults_of, ill_formed, shown, values_of
from serving.models.operations.graph_index import GraphIndex, Origins, Place, node_name, text_of

# Added to a SavedModel by TensorFlow for its own use; not a signature to call.
INITIALISER = "__saved_model_init_op"
PRINTS = "PrintV2"
FORESTS = "SimpleMLLoadModelFromPathWithHandle"
ASSETS = "saved_model_assets"
_INITIALISERS = ("saved_model_main_op", "legacy_init_op")
_FILES = frozenset({*FROM_ASSETS, *RESTORING, *SAVING})
#: Where a print may go; the first stands for the default.
_STREAMS = frozenset({b"", b"stdout", b"stderr", b"log(info)", b"log(warning)", b"log(error)"})
#: They have one output, which is fed while the model is loaded.
_FED = frozenset({"Const", "Placeholder", "PlaceholderV2", "PlaceholderWithDefault"})
#: What is cut off an asset's name to give that of its folder.
_ENDING = re.compile(rb"[A-Za-z0-9_]+")

NOT_LISTED = "not one of those that only compute"
PRINTS_TO_FILE = "prints to a file"
NOT_AN_ASSET = "reads a file that is none of the model's assets, or not while the model is loaded"
NOT_ITS_CHECKPOINT = "reads a file that is not the model's checkpoint, or not while the model is loaded"
SAVES = "writes files when the model is loaded or called"
NAMES_RESOURCE = "names a resource that another operation has made"
NOT_CONSTANT = "runs a graph that is no constant"

#: Refused whatever is allowed: nobody can know what such a graph runs.
UNKNOWABLE = OF_FORM | {NOT_CONSTANT}


class _Phases(NamedTuple):
    """The keys of the nodes that run: for clients' requests, while variables are restored, and in the initialiser."""

    requests: frozenset[tuple[str, str]]
    restore: frozenset[tuple[str, str]]
    initialiser: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, index: GraphIndex, meta_graph: Any) -> _Phases:
        """Follow a ``tensorflow.MetaGraphDef`` from what each phase fetches."""
        starts = (_signature_tensors(meta_graph), (meta_graph.saver_def.restore_op_name,), _initialisers(meta_graph))
        return cls(*(frozenset(place.key for place in index.reachable(each)) for each in starts))


def refusals(meta_graph: Any, allowed: Collection[str] = ()) -> tuple[Refusal, ...]:
    """Find what a graph must not do.

    Args:
        meta_graph: A ``tensorflow.MetaGraphDef``.
        allowed: Operations that it may have, too.

    >>> from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef
    >>> graph = MetaGraphDef()
    >>> _ = graph.graph_def.node.add(name="a", op="MatMul"), graph.graph_def.node.add(name="b", op="ReadFile")
    >>> refusals(graph)
    (Refusal(operation='ReadFile', reason='not one of those that only compute'),)
    """
    graph = meta_graph.graph_def
    found = list(_anywhere(graph))
    if not any(reason in OF_FORM for _, reason in found):
        index = GraphIndex(graph)
        phases = _Phases.of(index, meta_graph)
        found += [*_reading(index, meta_graph, phases), *_saving(index, phases)]
        found += _programs(index, _fed(meta_graph))
    reasons: dict[str, str] = {}
    for name, reason in sorted(found, key=lambda refusal: refusal.reason not in UNKNOWABLE):
        if name not in allowed or reason in UNKNOWABLE:
            reasons.setdefault(name, reason)
    return tuple(Refusal(*item) for item in sorted(reasons.items()))


def _anywhere(graph: Any) -> Iterator[Refusal]:
    """What neither a graph nor one that a string of it holds may have, whatever runs it."""
    yield from ill_formed(graph)
    functions = {function.signature.name for function in graph.library.function}
    bodies = (graph.node, *(function.node_def for function in graph.library.function))
    for node in (node for nodes in bodies for node in nodes):
        if node.op not in ALLOWED and node.op not in _FILES and node.op not in functions:
            yield Refusal(shown(node.op), NOT_LISTED)
        if node.op == PRINTS and text_of(node, "output_stream") not in _STREAMS:
            yield Refusal(PRINTS, PRINTS_TO_FILE)
        yield from _values(node.op, node.attr)
    for function in graph.library.function:
        for attributes in (function.attr, defaults_of(function)):
            yield from _values(function.signature.name, attributes)


def _values(owner: str, attributes: Any) -> Iterator[Refusal]:
    """Handles that are constants or made from a text, which nobody can follow, and the graphs that strings hold."""
    from tensorflow.core.framework import types_pb2  # noqa: PLC0415 - loaded by the first model only

    handles = (types_pb2.DT_RESOURCE, types_pb2.DT_VARIANT)
    for value in values_of(attributes):
        kind = value.WhichOneof("value")
        tensors = (value.tensor,) if kind == "tensor" else value.list.tensor if kind == "list" else ()
        types = (value.type,) if kind == "type" else value.list.type if kind == "list" else ()
        if any(tensor.dtype in handles for tensor in tensors):
            yield Refusal(shown(owner), NAMES_RESOURCE)
        if owner in DECODING and any(each in handles for each in types):
            yield Refusal(owner, NAMES_RESOURCE)
        texts = (value.s,) if kind == "s" else value.list.s if kind == "list" else ()
        for text in (*texts, *(text for tensor in tensors for text in _texts(tensor))):
            inner = _graph_in(text)
            if inner is not None:
                yield from _within(inner)


def _within(graph: Any) -> Iterator[Refusal]:
    """What a graph that a string holds must not have: nobody knows when it runs."""
    found = list(_anywhere(graph))
    yield from found
    if not any(reason in OF_FORM for _, reason in found):
        index = GraphIndex(graph)
        yield from _programs(index)
        yield from (Refusal(name, NOT_AN_ASSET) for name in index.operations() & _FILES)


def _texts(tensor: Any) -> Iterator[bytes]:
    from tensorflow.core.framework import types_pb2  # noqa: PLC0415 - loaded by the first model only

    if tensor.dtype == types_pb2.DT_STRING:
        yield from tensor.string_val
        if tensor.tensor_content:
            import tensorflow as tf  # noqa: PLC0415 - as above

            packed = tf.io.parse_tensor(tensor.SerializeToString(), tf.string)
            yield from tf.reshape(packed, [-1]).numpy()


def _graph_in(text: bytes) -> Any:
    """The ``tensorflow.GraphDef`` that a string holds: nodes, of which TensorFlow knows an operation at least."""
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - loaded by the first model only
    from tensorflow.core.framework.graph_pb2 import GraphDef  # noqa: PLC0415 - as above
    from tensorflow.python.framework import op_def_registry  # noqa: PLC0415 - as above

    try:
        graph = GraphDef.FromString(text)
    except DecodeError:
        return None
    bodies = (graph.node, *(function.node_def for function in graph.library.function))
    return graph if any(op_def_registry.get(node.op) is not None for nodes in bodies for node in nodes) else None


def outside_assets(meta_graph: Any) -> tuple[str, ...]:
    """Find assets that are not in the version's own folder of assets."""
    names = [asset.filename for asset in _assets(meta_graph)]
    return tuple(name for name in names if name.startswith("/") or ".." in name.split("/") or "\0" in name)


def _assets(meta_graph: Any) -> Iterator[Any]:
    """The model's assets, each a ``tensorflow.AssetFileDef``: those whose names are fed while the model is loaded.

    In old models they are in a collection, which TensorFlow reads only if there are no others.
    """
    from tensorflow.core.protobuf.meta_graph_pb2 import AssetFileDef  # noqa: PLC0415 - loaded by the first model only

    yield from meta_graph.asset_file_def
    if not meta_graph.asset_file_def and ASSETS in meta_graph.collection_def:
        for packed in meta_graph.collection_def[ASSETS].any_list.value:
            asset = AssetFileDef()
            if packed.Unpack(asset):
                yield asset


def _reading(index: GraphIndex, meta_graph: Any, phases: _Phases) -> Iterator[Refusal]:
    """Operations that read a file other than an asset or the checkpoint, or not while its name is fed."""
    own = list(_assets(meta_graph))
    assets = {node_name(asset.tensor_info.name) for asset in own}
    checkpoint = {node_name(meta_graph.saver_def.filename_tensor_name)}

    def folder(place: Place) -> bool:
        return place.node.op == "Identity" or _is_folder_of_assets(place.node, own)

    for place in index.places():
        operation = place.node.op
        if operation in FROM_ASSETS:
            passes = {"passes": folder} if operation == FORESTS else {}
            origins = index.origins(place, FROM_ASSETS[operation], **passes)
            elsewhere = phases.requests | phases.restore
            # A variable must not have been assigned to before the assets' names are fed.
            if place.key in elsewhere or origins.assigned & elsewhere or not _are_fed(origins, assets):
                yield Refusal(operation, NOT_AN_ASSET)
        elif operation in RESTORING:
            origins = index.origins(place, RESTORING[operation])
            elsewhere = phases.requests | phases.initialiser
            if place.key in elsewhere or origins.assigned or not _are_fed(origins, checkpoint):
                yield Refusal(operation, NOT_ITS_CHECKPOINT)


def _are_fed(origins: Origins, names: Collection[str]) -> bool:
    """Whether a tensor comes from nodes of the graph alone that are fed by these names."""
    return origins.all_are(lambda place: not place.function and place.node.op in _FED and place.node.name in names)


def _is_folder_of_assets(node: Any, assets: Collection[Any]) -> bool:
    """Whether a node makes the name of a folder of assets from that of one of its files, whose last part is cut off."""
    ending = text_of(node, "pattern")
    if node.op != "StaticRegexReplace" or text_of(node, "rewrite") or not _ENDING.fullmatch(ending):
        return False
    return all(ending.decode() not in asset.filename.removesuffix(ending.decode()) for asset in assets)


def _saving(index: GraphIndex, phases: _Phases) -> Iterator[Refusal]:
    runs = phases.requests | phases.restore | phases.initialiser
    yield from (
        Refusal(place.node.op, SAVES) for place in index.places() if place.node.op in SAVING and place.key in runs
    )


def _programs(index: GraphIndex, fed: Collection[str] = ()) -> Iterator[Refusal]:
    """Operations that run a graph that is no constant, or that a client may give instead of the constant."""

    def hands_on(place: Place) -> bool:
        return place.node.op == "Identity" and (bool(place.function) or place.node.name not in fed)

    def is_constant(place: Place) -> bool:
        return place.node.op == "Const" and (bool(place.function) or place.node.name not in fed)

    for place in index.places():
        number = PROGRAMS.get(place.node.op)
        if number is not None and not index.origins(place, number, passes=hands_on).all_are(is_constant):
            yield Refusal(place.node.op, NOT_CONSTANT)


def _fed(meta_graph: Any) -> frozenset[str]:
    """The nodes that a client's request may take the place of."""
    definitions = meta_graph.signature_def.values()
    return frozenset(node_name(tensor.name) for each in definitions for tensor in each.inputs.values())


def _signature_tensors(meta_graph: Any) -> Iterator[str]:
    """What clients' requests run."""
    for name, signature in meta_graph.signature_def.items():
        if name != INITIALISER:
            yield from (tensor.name for tensor in signature.outputs.values())


def _initialisers(meta_graph: Any) -> Iterator[str]:
    """What runs once the variables are restored."""
    initialiser = meta_graph.signature_def.get(INITIALISER)
    if initialiser is not None:
        yield from (tensor.name for tensor in initialiser.outputs.values())
    for key in _INITIALISERS:
        yield from meta_graph.collection_def[key].node_list.value if key in meta_graph.collection_def else ()
