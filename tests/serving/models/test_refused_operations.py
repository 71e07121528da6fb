"""A SavedModel is a program: graphs that use files or run Python are refused before any of them runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import tensorflow as tf

from serving.models.loading import LoadSettings, load_version
from serving.models.refused_operations import outside_assets, refused_operations
from serving.models.runner import LoadError

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
    with pytest.raises(LoadError, match=r"ReadFile, WriteFile. If you trust .* --allow-op ReadFile --allow-op WriteFi"):
        load_version(copies)
    assert not copy.exists()
    with pytest.raises(LoadError, match=r"run Python: WriteFile\."):
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
    with pytest.raises(LoadError, match=f"run Python: {op}"):
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
    assert refused_operations(meta) == ()
    meta.signature_def["serving_default"].outputs["y"].name = y.name
    assert refused_operations(meta) == ("MergeV2Checkpoints",)


def test_assets_lie_in_their_folder() -> None:
    meta = tf.compat.v1.MetaGraphDef()
    for name in ("vocabulary.txt", "sub/v..txt", "../../secret", "/etc/hostname"):
        meta.asset_file_def.add(filename=name)
    assert outside_assets(meta) == ("../../secret", "/etc/hostname")
