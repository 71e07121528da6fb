"""A SavedModel is a program: graphs that do more than compute are refused before any of them runs."""

# TensorFlow is untyped: its classes and decorators are Any to the type checker.
# mypy: disable-error-code="misc, untyped-decorator"

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow.python.saved_model.loader_impl import SavedModelLoader

from serving.models.loading import LoadSettings, load_version
from serving.models.operations.graph_check import (
    NAMES_RESOURCE,
    NOT_AN_ASSET,
    NOT_CONSTANT,
    NOT_ITS_CHECKPOINT,
    NOT_LISTED,
    outside_assets,
    refusals,
)
from serving.models.operations.graph_form import Refusal
from serving.models.runner import ANY_OPERATION, LoadError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def export(folder: Path, init: Callable[[], Any], output: Callable[[Any], Any] = tf.identity) -> Path:
    """A SavedModel of one input, with an initialiser."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.string, [None], "x")
        y = tf.identity(output(x), "y")
        variable = tf.compat.v1.get_variable("v", initializer=1.0)
        session.run(variable.initializer)
        signature = tf.compat.v1.saved_model.predict_signature_def({"x": x}, {"y": y})
        builder = tf.compat.v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature}, main_op=init())
        builder.save()
    return folder


def nothing() -> Any:
    return tf.no_op()


def test_an_initialiser_that_copies_a_file_is_refused_before_it_runs(tmp_path: Path) -> None:
    secret, copy = tmp_path / "secret", tmp_path / "copy"
    secret.write_text("planted")
    copies = export(tmp_path / "1", lambda: tf.io.write_file(str(copy), tf.io.read_file(str(secret))))
    with pytest.raises(LoadError, match=r"ReadFile, WriteFile \(not one of .* --allow-op ReadFile --allow-op WriteFi"):
        load_version(copies)
    assert not copy.exists()
    with pytest.raises(LoadError, match=r"not allowed: WriteFile \("):
        load_version(copies, LoadSettings(allowed_operations=("ReadFile",)))
    load_version(copies, LoadSettings(allowed_operations=("ReadFile", "WriteFile"))).close()
    assert copy.read_text() == "planted"


def print_to_file(x: Any) -> Any:
    with tf.control_dependencies([tf.print(x, output_stream="file:///nowhere")]):
        return tf.identity(x)


@pytest.mark.parametrize(
    ("op", "output"),
    [
        ("ReadFile", lambda x: tf.map_fn(tf.io.read_file, x)),  # inside a function
        ("MatchingFiles", tf.io.matching_files),
        ("PyFunc", lambda x: tf.compat.v1.py_func(lambda one: one, [x], tf.string)),
        ("PrintV2", print_to_file),
    ],
)
def test_what_a_request_would_run_is_refused(tmp_path: Path, op: str, output: Callable[[Any], Any]) -> None:
    with pytest.raises(LoadError, match=f"not allowed: {op} "):
        load_version(export(tmp_path / "1", nothing, output))


def test_saving_is_refused_only_where_it_would_run(tmp_path: Path) -> None:
    load_version(export(tmp_path / "1", nothing)).close()  # has the saver that every SavedModel has
    written = tmp_path / "written"

    def save() -> Any:
        return tf.raw_ops.SaveV2(prefix=str(written), tensor_names=["a"], shape_and_slices=[""], tensors=[tf.zeros(1)])

    with pytest.raises(LoadError, match="SaveV2"):
        load_version(export(tmp_path / "2", save))
    assert list(tmp_path.glob("written*")) == []


def test_a_function_that_a_signature_calls_is_looked_into() -> None:
    with tf.Graph().as_default() as graph:

        def inner() -> None:
            tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=["a"], destination_prefix="b")

        called = tf.function(inner)

        def outer() -> Any:
            called()
            return tf.zeros(1)

        y = tf.identity(tf.function(outer)(), "y")
    meta = tf.compat.v1.MetaGraphDef(graph_def=graph.as_graph_def())
    assert refusals(meta) == ()
    meta.signature_def["serving_default"].outputs["y"].name = y.name
    assert [refusal.operation for refusal in refusals(meta)] == ["MergeV2Checkpoints"]


def test_assets_lie_in_their_folder() -> None:
    meta = tf.compat.v1.MetaGraphDef()
    for name in ("vocabulary.txt", "sub/v..txt", "../../secret", "/etc/hostname"):
        meta.asset_file_def.add(filename=name)
    assert outside_assets(meta) == ("../../secret", "/etc/hostname")
    old = tf.compat.v1.MetaGraphDef()  # which has its assets in a collection
    old.collection_def["saved_model_assets"].any_list.value.add().Pack(meta.asset_file_def[3])
    assert outside_assets(old) == ("/etc/hostname",)


def meta_of(graph: Any, output: Any = None) -> Any:
    meta = tf.compat.v1.MetaGraphDef(graph_def=graph.as_graph_def())
    if output is not None:
        meta.signature_def["serving_default"].outputs["y"].name = output.name
    return meta


#: Of the operations that read or write files, or reach the network, those that no list of them had.
HIDDEN = {
    "ImmutableConst": lambda: tf.raw_ops.ImmutableConst(dtype=tf.uint8, shape=[4], memory_region_name="/etc/passwd"),
    "RpcClient": lambda: tf.raw_ops.RpcClient(server_address="host:1", timeout_in_ms=1),
    "FixedUnigramCandidateSampler": lambda: tf.raw_ops.FixedUnigramCandidateSampler(
        true_classes=[[0]], num_true=1, num_sampled=1, unique=True, range_max=9, vocab_file="/etc/passwd"
    ),
    "Skipgram": lambda: tf.raw_ops.Skipgram(filename="/etc/passwd", batch_size=1),
    "RecordInput": lambda: tf.raw_ops.RecordInput(file_pattern="/etc/*"),
    "DumpTensor": lambda: tf.raw_ops.DumpTensor(input=tf.zeros(1), log_dir_path="/logs", tensor_name="t"),
    "DecodeProtoV2": lambda: tf.raw_ops.DecodeProtoV2(
        bytes=["a"], message_type="m", field_names=["f"], output_types=[tf.string], descriptor_source="/etc/passwd"
    ),
    "ListSnapshotChunksDataset": lambda: tf.raw_ops.ListSnapshotChunksDataset(
        snapshot_path="/data", output_types=[tf.string], output_shapes=[None]
    ),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_operations_that_only_their_attributes_give_away_are_refused(name: str) -> None:
    with tf.Graph().as_default() as graph:
        try:
            HIDDEN[name]()
        except AttributeError:
            graph_def = tf.compat.v1.GraphDef()
            graph_def.node.add(op=name, name="n")
            assert refusals(tf.compat.v1.MetaGraphDef(graph_def=graph_def)) == (Refusal(name, NOT_LISTED),)
            return
    assert refusals(meta_of(graph)) == (Refusal(name, NOT_LISTED),)


def test_a_file_that_is_mapped_as_a_constant_stays_closed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"planted!")

    def leak(x: Any) -> Any:
        read = tf.raw_ops.ImmutableConst(dtype=tf.uint8, shape=[8], memory_region_name=str(secret))
        return tf.strings.join([x, tf.strings.reduce_join(tf.strings.as_string(read), separator=" ")])

    folder = export(tmp_path / "1", nothing, leak)
    with pytest.raises(LoadError, match=r"ImmutableConst .* --allow-op ImmutableConst"):
        load_version(folder)
    runner = load_version(folder, LoadSettings(allowed_operations=(ANY_OPERATION,)))
    outputs = runner.run(runner.signatures["serving_default"], {"x": np.array([b""], object)}, ["y"])
    runner.close()
    assert outputs["y"][0] == b"112 108 97 110 116 101 100 33", "what --allow-any-op says is true"


def hidden_graph(path: str) -> bytes:
    """A dataset's graph that reads a file, as bytes."""
    dataset = tf.data.Dataset.range(1).map(lambda _: tf.io.read_file(path))
    return bytes(tf.raw_ops.DatasetToGraphV2(input_dataset=dataset._variant_tensor).numpy())


def run_hidden(graph: Any) -> Any:
    dataset = tf.raw_ops.DatasetFromGraph(graph_def=graph)
    iterator = tf.raw_ops.AnonymousIteratorV3(output_types=[tf.string], output_shapes=[[]])
    with tf.control_dependencies([tf.raw_ops.MakeIterator(dataset=dataset, iterator=iterator)]):
        (value,) = tf.raw_ops.IteratorGetNext(iterator=iterator, output_types=[tf.string], output_shapes=[[]])
    return value


OF_DATASETS = ("DatasetFromGraph", "AnonymousIteratorV3", "MakeIterator", "IteratorGetNext")


def test_a_graph_in_a_string_counts_and_must_be_a_constant(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("planted")
    hidden = hidden_graph(str(secret))

    def joined(x: Any) -> Any:  # the string is made when it is run, so that nobody can look into it
        return tf.strings.join([x, run_hidden(tf.strings.join([hidden, tf.strings.substr(x[0], 0, 0)]))])

    folder = export(tmp_path / "1", nothing, joined)
    everything = (*OF_DATASETS, "ReadFile", "RangeDataset", "MapDataset", "_Retval")
    for operations in ((), OF_DATASETS, everything):
        with pytest.raises(LoadError, match=r"DatasetFromGraph \(runs a graph that is no constant\).*--allow-any-op$"):
            load_version(folder, LoadSettings(allowed_operations=operations))
    runner = load_version(folder, LoadSettings(allowed_operations=(ANY_OPERATION,)))
    outputs = runner.run(runner.signatures["serving_default"], {"x": np.array([b""], object)}, ["y"])
    runner.close()
    assert outputs["y"][0] == b"planted", "what is refused would work"


def test_the_operations_of_a_constant_graph_are_named() -> None:
    hidden = hidden_graph("/etc/passwd")
    with tf.Graph().as_default() as graph:
        text = tf.constant(hidden, name="text")
        y = run_hidden(text)
    meta = meta_of(graph, y)
    assert {"ReadFile", "RangeDataset", "MapDataset"} <= {refusal.operation for refusal in refusals(meta)}
    left = refusals(meta, OF_DATASETS)
    assert "ReadFile" in {refusal.operation for refusal in left}
    allowed = (*OF_DATASETS, *(refusal.operation for refusal in left))
    assert refusals(meta, allowed) == ()
    meta.signature_def["serving_default"].inputs["x"].name = "text:0"  # a client gives the graph instead
    assert refusals(meta, allowed) == (Refusal("DatasetFromGraph", NOT_CONSTANT),)
    packed = tf.compat.v1.MetaGraphDef()
    packed.CopyFrom(meta)
    (node,) = (node for node in packed.graph_def.node if node.name == "text")
    value = node.attr["value"].tensor
    size = len(value.string_val[0])
    value.tensor_content = bytes([size & 127 | 128, size >> 7]) + value.string_val[0]
    del value.string_val[:]
    assert "ReadFile" in {refusal.operation for refusal in refusals(packed)}, "in the packed form of strings, too"


def table_from(name: Any) -> Any:
    initializer = tf.lookup.TextFileInitializer(name, tf.string, 0, tf.int64, 1, delimiter=",")
    return tf.lookup.StaticHashTable(initializer, -1)


class Words(tf.Module):
    """Numbers of words, by a file of them."""

    def __init__(self, file: str) -> None:
        self.table = table_from(file)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "x")])
    def serve(self, x: Any) -> Any:
        return {"y": self.table.lookup(x)}


def test_a_table_is_read_from_the_models_own_assets(tmp_path: Path) -> None:
    vocabulary = tmp_path / "vocabulary.txt"
    vocabulary.write_text("a,7\nb,8\n")
    words = Words(str(vocabulary))
    tf.saved_model.save(words, str(tmp_path / "1"), signatures=words.serve)
    vocabulary.unlink()
    runner = load_version(tmp_path / "1")
    outputs = runner.run(runner.signatures["serving_default"], {"x": np.array([b"b", b"c"], object)}, ["y"])
    runner.close()
    assert outputs["y"].tolist() == [8, -1]
    meta = loader(tmp_path / "1")
    assert refusals(meta) == ()
    refused = (Refusal("InitializeTableFromTextFileV2", NOT_AN_ASSET),)
    for change in (forget_assets, assign_elsewhere, assign_by_another_handle, assign_in_a_function):
        changed = tf.compat.v1.MetaGraphDef()
        changed.CopyFrom(meta)
        change(changed)
        assert refusals(changed) == refused, change.__name__
    node = meta.graph_def.node.add(op="Const", name="handle")
    node.attr["value"].tensor.dtype = types_pb2.DT_RESOURCE
    assert refusals(meta) == (Refusal("Const", NAMES_RESOURCE),)


def forget_assets(meta: Any) -> None:
    del meta.asset_file_def[:]


def assign_elsewhere(meta: Any) -> None:
    meta.graph_def.node.add(op="Const", name="other")
    meta.graph_def.node.add(op="AssignVariableOp", name="again", input=["Variable", "other"])


def assign_by_another_handle(meta: Any) -> None:
    assign_elsewhere(meta)
    (handle,) = (node for node in meta.graph_def.node if node.name == "Variable")
    other = meta.graph_def.node.add()
    other.CopyFrom(handle)
    other.name = "same_variable"
    meta.graph_def.node[-2].input[0] = "same_variable"


def assign_in_a_function(meta: Any) -> None:
    meta.graph_def.library.function.add().signature.name = "assigning"
    call = meta.graph_def.node.add(op="PartitionedCall", name="call", input=["Variable"])
    call.attr["f"].func.name = "assigning"


def test_a_table_whose_file_a_client_names_is_refused(tmp_path: Path) -> None:
    def look_up(x: Any) -> Any:
        table = tf.raw_ops.HashTableV2(key_dtype=tf.string, value_dtype=tf.int64)
        filled = tf.raw_ops.InitializeTableFromTextFileV2(
            table_handle=table, filename=x[0], key_index=-2, value_index=-1, vocab_size=-1, delimiter="\t"
        )
        with tf.control_dependencies([filled]):
            keys, _ = tf.raw_ops.LookupTableExportV2(table_handle=table, Tkeys=tf.string, Tvalues=tf.int64)
        return tf.strings.reduce_join(keys, keepdims=True)

    with pytest.raises(LoadError, match=r"FromTextFileV2 \(reads a file that is none of the model's assets"):
        load_version(export(tmp_path / "1", nothing, look_up))


def test_another_models_checkpoint_is_not_read(tmp_path: Path) -> None:
    def steal(x: Any) -> Any:
        (value,) = tf.raw_ops.RestoreV2(
            prefix=x[0], tensor_names=["secret"], shape_and_slices=[""], dtypes=[tf.float32]
        )
        return tf.strings.as_string(value)

    with pytest.raises(LoadError, match=r"RestoreV2 \(reads a file that is not the model's checkpoint"):
        load_version(export(tmp_path / "1", nothing, steal))
    folder = export(tmp_path / "2", nothing)
    meta = loader(folder)
    assert refusals(meta) == ()
    for node in meta.graph_def.node:
        if node.op == "RestoreV2":
            node.input[0] = "elsewhere"
    meta.graph_def.node.add(op="Const", name="elsewhere")
    assert refusals(meta) == (Refusal("RestoreV2", NOT_ITS_CHECKPOINT),)


def loader(folder: Path) -> Any:
    meta = tf.compat.v1.MetaGraphDef()
    meta.CopyFrom(SavedModelLoader(str(folder)).get_meta_graph_def_from_tags(["serve"]))
    return meta


def test_every_function_counts_though_nothing_calls_it() -> None:
    graph_def = tf.compat.v1.GraphDef()
    function = graph_def.library.function.add()
    function.signature.name = "never_called"
    function.node_def.add(op="WriteFile", name="w")
    assert refusals(tf.compat.v1.MetaGraphDef(graph_def=graph_def)) == (Refusal("WriteFile", NOT_LISTED),)
