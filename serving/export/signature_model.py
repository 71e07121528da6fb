"""A signature of a SavedModel as a Keras model, so that it is exported with a reference as any other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from monitoring.errors import BadInput
from serving.models.foreign_formats import GRAPHS
from serving.models.runner import LoadError, check_meta_graph, read_signature
from serving.models.signatures import DEFAULT_SIGNATURE, Signature
from serving.models.version_folders import find_versions

TABLE_ROAD = (
    "Serve it as it is (pitfalls serve --model {path}), and watch it by a table of its inputs, answers and labels: "
    "pitfalls monitor init --reference TABLE."
)


def is_saved_model(path: Path) -> bool:
    """Whether a folder is a SavedModel."""
    return any((path / name).is_file() for name in GRAPHS)


def check_is_version(path: Path) -> None:
    """Raise `BadInput` for a folder that holds versions of a SavedModel, instead of being one."""
    versions = {number: folder for number, folder in find_versions(path).items() if is_saved_model(folder)}
    if versions:
        raise BadInput(
            "This folder holds versions of a model.",
            got=str(path),
            expected="one of them",
            fix=f"Name it: pitfalls export {versions[max(versions)]}",
        )


def load_signature(path: Path, name: str | None = None) -> Any:
    """Make a Keras model of a signature. None of the SavedModel runs before its graph is checked.

    Args:
        name: The signature; None for `serving_default`, or for the only one.
    """
    import keras  # noqa: PLC0415 - seconds, and only this needs it
    import tensorflow as tf  # noqa: PLC0415 - as above
    from tensorflow.python.saved_model.loader_impl import SavedModelLoader  # noqa: PLC0415 - as above

    try:
        meta_graph = SavedModelLoader(str(path)).get_meta_graph_def_from_tags(["serve"])
        check_meta_graph(meta_graph, ())
        loaded = tf.saved_model.load(str(path))
    except (LoadError, tf.errors.OpError, OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        _refuse(path, f"it cannot be loaded: {str(error).partition(' If you trust')[0][:1000]}")
    definitions = {key: definition for key, definition in meta_graph.signature_def.items() if key in loaded.signatures}
    chosen = name or (DEFAULT_SIGNATURE if len(definitions) != 1 else next(iter(definitions)))
    if chosen not in definitions:
        raise BadInput(
            "The SavedModel has no such signature.",
            got=f"{chosen} of {path}",
            expected=f"one of {', '.join(sorted(definitions))}" if definitions else "a SavedModel with signatures",
            fix="Name it: --signature NAME.",
        )
    signature = read_signature(chosen, definitions[chosen])
    _check_rows(path, signature)
    function = loaded.signatures[chosen]

    class SignatureLayer(keras.Layer):  # type: ignore[misc] # Keras is untyped
        """Calls the signature; holds the SavedModel, so that its variables, tables and assets are exported, too."""

        def __init__(self) -> None:
            super().__init__(name=chosen, autocast=False, trainable=False)
            self.saved_model = loaded

        def call(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
            return dict(function(**inputs))

    inputs = {
        key: keras.Input(
            [None if size == -1 else size for size in (spec.shape or ())[1:]], name=key, dtype=_dtype(spec)
        )
        for key, spec in signature.inputs.items()
    }
    return keras.Model(inputs, SignatureLayer()(inputs))


def _dtype(spec: Any) -> str:
    return "string" if spec.element.name == "string" else str(spec.element.numpy)


def _check_rows(path: Path, signature: Signature) -> None:
    """Raise `BadInput` unless every tensor has a row for each prediction."""
    for name, spec in (*signature.inputs.items(), *signature.outputs.items()):
        if not spec.graph_name:
            _refuse(path, f"tensor {name} of {signature.name} is sparse or ragged")
        if spec.shape is None or not spec.is_batch_major:
            shape = "of any rank" if spec.shape is None else f"of shape {list(spec.shape)}"
            _refuse(path, f"tensor {name} of {signature.name} is {shape}, whose first dimension does not count rows")
        if spec.element.numpy is None:
            _refuse(path, f"tensor {name} of {signature.name} has elements of type {spec.element.name}")
    if not signature.inputs:
        _refuse(path, f"{signature.name} has no inputs")


def _refuse(path: Path, got: str) -> NoReturn:
    raise BadInput(
        "This SavedModel cannot be exported with a baseline.",
        got=f"{path}: {got}",
        expected="a signature whose tensors are dense, with one row for each prediction",
        fix=TABLE_ROAD.format(path=path),
    )
