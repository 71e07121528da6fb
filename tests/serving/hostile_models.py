"""SavedModels whose author wants the server's files: what a client sends names a file, which they read or write.

Each is written as messages, as an exporter would not. With ``--allow-any-op`` most of them do what they are for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorflow.core.framework import types_pb2
from tensorflow.core.framework.function_pb2 import FunctionDef
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

STRING, FLOAT, INT64, RESOURCE = types_pb2.DT_STRING, types_pb2.DT_FLOAT, types_pb2.DT_INT64, types_pb2.DT_RESOURCE
SIGNATURE = "tensorflow/serving/predict"


def node(name: str, op: str, inputs: Sequence[str] = (), **attributes: Any) -> NodeDef:
    """A node. Attributes: bytes, whole numbers (types, by a name that is one), lists of types, functions' names."""
    made = NodeDef(name=name, op=op, input=inputs)
    for key, value in attributes.items():
        attribute = made.attr[key]
        if isinstance(value, bytes):
            attribute.s = value
        elif isinstance(value, str):
            attribute.func.name = value
        elif isinstance(value, list) and not value:
            attribute.list.SetInParent()
        elif isinstance(value, list) and isinstance(value[0], bytes):
            attribute.list.s.extend(value)
        elif isinstance(value, list):
            attribute.list.type.extend(value)
        elif key in {"key_index", "value_index", "vocab_size", "N"}:
            attribute.i = value
        else:
            attribute.type = value
    return made


def text(name: str, value: bytes | Sequence[bytes]) -> NodeDef:
    """A constant: one text, or a list of them."""
    made = node(name, "Const", dtype=STRING)
    tensor = made.attr["value"].tensor
    tensor.dtype = STRING
    tensor.tensor_shape.SetInParent()
    if isinstance(value, bytes):
        tensor.string_val.append(value)
    else:
        tensor.tensor_shape.dim.add(size=len(value))
        tensor.string_val.extend(value)
    return made


def function(name: str, arguments: Sequence[str], nodes: Sequence[NodeDef], result: str) -> FunctionDef:
    """A function of texts, which gives a text."""
    made = FunctionDef(node_def=nodes)
    made.signature.name = name
    for argument in arguments:
        made.signature.input_arg.add(name=argument, type=STRING)
    made.signature.output_arg.add(name="y", type=STRING)
    made.ret["y"] = result
    return made


def call(name: str, called: str, *inputs: str) -> NodeDef:
    """A call of a function of texts."""
    return node(name, "StatefulPartitionedCall", inputs, f=called, Tin=[STRING] * len(inputs), Tout=[STRING])


def reads_table(filename: str, prefix: str = "") -> list[NodeDef]:
    """Nodes that read a file's lines, as ``PREFIXjoined:output:0`` of a function, by a table that is filled from it."""
    return [
        node(f"{prefix}table", "HashTableV2", key_dtype=STRING, value_dtype=STRING, shared_name=prefix.encode() + b"t"),
        node(
            f"{prefix}fill",
            "InitializeTableFromTextFileV2",
            [f"{prefix}table:table_handle:0", filename],
            key_index=-2,
            value_index=-2,
            vocab_size=-1,
            delimiter=b"\t",
        ),
        node(
            f"{prefix}lines",
            "LookupTableExportV2",
            [f"{prefix}table:table_handle:0", f"^{prefix}fill"],
            Tkeys=STRING,
            Tvalues=STRING,
        ),
        text(f"{prefix}comma", b","),
        node(f"{prefix}axis", "Const", dtype=types_pb2.DT_INT32),
        node(f"{prefix}joined", "ReduceJoin", [f"{prefix}lines:keys:0", f"{prefix}axis:output:0"], separator=b"\n"),
    ]


def _axis(nodes: Sequence[NodeDef]) -> None:
    for each in nodes:
        if each.name.endswith("axis"):
            tensor = each.attr["value"].tensor
            tensor.dtype = types_pb2.DT_INT32
            tensor.tensor_shape.SetInParent()
            tensor.int_val.append(0)


def saves(prefix: str) -> list[NodeDef]:
    """Nodes that write ``x`` to the file that ``x`` names, and give ``done:output:0``."""
    return [
        text("names", [b"a"]),
        text("slices", [b""]),
        node("save", "SaveV2", [prefix, "names:output:0", "slices:output:0", "x"], dtypes=[STRING]),
        node("done", "Identity", ["x", "^save"], T=STRING),
    ]


def write_model(folder: Path, graph: GraphDef, output: str = "y:0", *, asset: str = "") -> Path:
    """Write a version with one signature of the scalar text ``x``.

    Args:
        asset: The name of an asset, fed as ``asset:0``; the graph's node ``init`` runs when the model is loaded.
    """
    saved = SavedModel(saved_model_schema_version=1)
    meta = saved.meta_graphs.add()
    meta.meta_info_def.tags.append("serve")
    meta.graph_def.CopyFrom(graph)
    signature = meta.signature_def["serving_default"]
    signature.method_name = SIGNATURE
    for tensors, key, name in ((signature.inputs, "x", "x:0"), (signature.outputs, "y", output)):
        tensors[key].name, tensors[key].dtype = name, STRING
        tensors[key].tensor_shape.SetInParent()
    if asset:
        added = meta.asset_file_def.add(filename=asset)
        added.tensor_info.name = "asset:0"
        meta.collection_def["saved_model_main_op"].node_list.value.append("init")
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(saved.SerializeToString())
    return folder


def graph_of(*nodes: NodeDef, functions: Sequence[FunctionDef] = ()) -> GraphDef:
    """A graph with the placeholder ``x``, a scalar text, in front."""
    placeholder = node("x", "Placeholder", dtype=STRING)
    placeholder.attr["shape"].shape.SetInParent()
    graph = GraphDef(node=[placeholder, *nodes])
    graph.library.function.extend(functions)
    graph.versions.producer = 1882
    return graph


def empty_name(folder: Path, *, file: Path) -> Path:
    """Reads a file that its author names. A function without a name would hide the graph from an index by names."""
    graph = graph_of(text("name", str(file).encode()), node("y", "ReadFile", ["name"]))
    empty = graph.library.function.add()
    empty.signature.name = ""
    empty.node_def.add(name="nothing", op="NoOp")
    return write_model(folder, graph)


def gradient_of(nodes: list[NodeDef], result: str) -> GraphDef:
    """A graph that runs nodes as the gradient that the library registers for a function."""
    _axis(nodes)
    forward = function("forward", ["x"], [node("same", "Identity", ["x"], T=STRING)], "same:output:0")
    backward = function("backward", ["x", "dy"], nodes, result)
    back = node("y", "SymbolicGradient", ["x", "x"], f="forward", Tin=[STRING, STRING], Tout=[STRING])
    graph = graph_of(back, functions=[forward, backward])
    graph.library.gradient.add(function_name="forward", gradient_func="backward")
    return graph


def gradient_reads(folder: Path, *, file: Path | None = None) -> Path:
    """Reads the lines of the file that a client names."""
    return write_model(folder, gradient_of(reads_table("x"), "joined:output:0"))


def gradient_writes(folder: Path, *, file: Path | None = None) -> Path:
    """Writes a client's text to the file that it names."""
    return write_model(folder, gradient_of(saves("x"), "done:output:0"))


def bound_print(folder: Path, *, file: Path) -> Path:
    """Appends a client's text to a file; its name is bound by the function's caller."""
    printing = node("print", "PrintV2", ["x"])
    printing.attr["output_stream"].placeholder = "stream"
    printing.attr["end"].s = b"\n"
    same = node("same", "Identity", ["x", "^print"], T=STRING)
    calling = call("y", "prints", "x")
    calling.attr["f"].func.attr["stream"].s = f"file://{file}".encode()
    return write_model(
        folder, graph_of(calling, functions=[function("prints", ["x"], [printing, same], "same:output:0")])
    )


def linked_asset(folder: Path, *, file: Path) -> Path:
    """An honest graph, which reads its table from an asset when it is loaded; the asset is a link to a file."""
    nodes = [text("asset", b"words"), *reads_table("asset:0")]
    _axis(nodes)
    for each in nodes:
        inputs = [name.replace(":table_handle", "").replace(":output", "").replace(":keys", "") for name in each.input]
        each.ClearField("input")
        each.input.extend(inputs)
        if each.name == "lines":  # runs for requests, after the table was filled
            each.ClearField("input")
            each.input.append("table:0")
    graph = graph_of(*nodes, node("y", "Identity", ["joined:0"], T=STRING), node("init", "NoOp", ["^fill"]))
    write_model(folder, graph, asset="words")
    (folder / "assets").mkdir()
    (folder / "assets" / "words").symlink_to(file)
    return folder


def plain_read(folder: Path, *, file: Path | None = None) -> Path:
    """Reads the file that a client names, and hides nothing."""
    return write_model(folder, graph_of(node("y", "ReadFile", ["x"])))


def plain_write(folder: Path, *, file: Path | None = None) -> Path:
    """Writes a client's text to the file that it names, and hides nothing."""
    same = node("y", "Identity", ["x", "^write"], T=STRING)
    return write_model(folder, graph_of(node("write", "WriteFile", ["x", "x"]), same))


#: Each takes the folder to write, and a file that its author wants.
HOSTILE: dict[str, Callable[..., Path]] = {
    each.__name__: each
    for each in (empty_name, gradient_reads, gradient_writes, bound_print, linked_asset, plain_read, plain_write)
}
