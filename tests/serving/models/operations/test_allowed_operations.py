"""The list has what honest models use, and nothing whose definition names a file, an address or a program."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import keras
import pytest
import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow.python.framework import op_def_registry

from serving.models.operations.allowed_operations import (
    _FORESTS,
    _TEXT,
    ALLOWED,
    DECODING,
    FROM_ASSETS,
    PROGRAMS,
    RESTORING,
    SAVING,
)
from serving.models.operations.graph_check import refusals

if TYPE_CHECKING:
    from collections.abc import Iterator

OUTSIDE = re.compile(
    "file|path|address|descriptor|vocab|region|host|server|url|serialized|module|graph|mlir|proto|program|dir|command",
    re.IGNORECASE,
)
#: Names that mean something else: a layer's direction, bytes of examples, a state on the processor.
HARMLESS = {
    "direction",
    "serialized",
    "serialized_sparse",
    "serialized_summary_metadata",
    "config_proto",
    "host_reserved",
}
CELLS = [keras.layers.GRUCell(2), keras.layers.LSTMCell(2)]
IMAGE, SEQUENCE, ROW = (8, 8, 3), (4, 3), (3,)
#: Layers that take other arguments or inputs than `guesses` has: how to make one, and its inputs' shapes.
LAYERS: dict[str, tuple[Any, tuple[tuple[int, ...], ...]]] = {
    **dict.fromkeys(("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract"), (lambda cls: cls(), (ROW, ROW))),
    **dict.fromkeys(("AdditiveAttention", "Attention", "Concatenate"), (lambda cls: cls(), (SEQUENCE, SEQUENCE))),
    **dict.fromkeys(
        ("AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise"), (lambda cls: cls(0.5), (SEQUENCE,))
    ),
    **dict.fromkeys(("RandomBrightness", "RandomContrast", "RandomRotation"), (lambda cls: cls(0.2), (IMAGE,))),
    **dict.fromkeys(("RandomTranslation", "RandomZoom"), (lambda cls: cls(0.2, 0.2), (IMAGE,))),
    "Dot": (lambda cls: cls(1), ((3,), (3,))),
    "EinsumDense": (lambda cls: cls("ab,bc->ac", output_shape=4), ((3,),)),
    "GroupQueryAttention": (lambda cls: cls(4, 4, 2), ((4, 8), (4, 8))),
    "MultiHeadAttention": (lambda cls: cls(2, 4), ((4, 8), (4, 8))),
    "Bidirectional": (lambda cls: cls(keras.layers.LSTM(3)), ((4, 3),)),
    "ConvLSTM1D": (lambda cls: cls(2, 2), ((3, 6, 2),)),
    "ConvLSTM2D": (lambda cls: cls(2, 2), ((3, *IMAGE),)),
    "ConvLSTM3D": (lambda cls: cls(2, 2), ((3, 4, 4, 4, 2),)),
    "Permute": (lambda cls: cls((2, 1)), ((4, 3),)),
    "RNN": (lambda cls: cls(CELLS), ((4, 3),)),
    "Reshape": (lambda cls: cls((6,)), ((2, 3),)),
    "SpatialDropout1D": (lambda cls: cls(0.5), ((4, 3),)),
    "SpatialDropout2D": (lambda cls: cls(0.5), ((4, 4, 3),)),
    "SpatialDropout3D": (lambda cls: cls(0.5), ((4, 4, 4, 3),)),
    "SpectralNormalization": (lambda cls: cls(keras.layers.Dense(2)), ((3,),)),
    "TimeDistributed": (lambda cls: cls(keras.layers.Dense(2)), ((4, 3),)),
    "STFTSpectrogram": (lambda cls: cls(frame_length=16, frame_step=8, fft_length=16), ((64, 1),)),
}
#: Base classes, cells that their layers wrap, what runs only in training or in another framework.
LEFT_OUT = {
    "Layer", "InputLayer", "Wrapper", "Pipeline", "FlaxLayer", "JaxLayer", "TorchModuleWrapper", "TFSMLayer",
    "GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells", "HashedCrossing", "RandomColorDegeneration", "RandomHue",
    "RandomSaturation", "RandomSharpness",
}  # fmt: skip


def test_no_operation_on_the_list_takes_a_file_an_address_or_a_program() -> None:
    elsewhere = set(_TEXT.split()) | set(_FORESTS.split())
    for name in ALLOWED - elsewhere:
        definition = op_def_registry.get(name)
        assert definition is not None, f"{name} is no operation of TensorFlow"
        names = [one.name for one in definition.input_arg]
        names += [one.name for one in definition.attr if one.type in ("string", "list(string)")]
        assert [each for each in names if OUTSIDE.search(each) and each not in HARMLESS] == [], name
    special = (FROM_ASSETS.keys() | RESTORING.keys() | PROGRAMS.keys()) - elsewhere
    assert not ALLOWED & (special | SAVING)
    for name in special:
        inputs = FROM_ASSETS | RESTORING | PROGRAMS
        definition = op_def_registry.get(name)
        assert definition is not None
        assert OUTSIDE.search(definition.input_arg[inputs[name]].name) or "prefix" in definition.input_arg[0].name


#: Operations whose outputs may be handles although no input is of that type: they hand on what the graph has put
#: into a list, a function, a variable or a feed; the kernels of the others know numbers and texts only.
HAND_ON = re.compile(
    "TensorList|TensorMap|TensorArray|Optional|CompositeTensor|Ragged|Stack|Unstage|Placeholder|PartitionedCall|If$|Case$"
    "|SymbolicGradient|FakeParam|Variable|ResourceGather|LookupTableExport|Stateful|Empty|Cast|TakeManySparse|Serialize"
)


def test_an_operation_that_makes_a_handle_of_a_text_is_known() -> None:
    handles = {types_pb2.DT_RESOURCE, types_pb2.DT_VARIANT}
    for name in ALLOWED - {"Const"} - set(_TEXT.split()) - set(_FORESTS.split()):
        definition = op_def_registry.get(name)
        inputs = {one.type_attr or one.type_list_attr for one in definition.input_arg}
        types = {one.name: set(one.allowed_values.list.type) for one in definition.attr}
        free = {one.type_attr or one.type_list_attr for one in definition.output_arg} - inputs - {""}
        if any(not types[each] or types[each] & handles for each in free):
            assert (name in DECODING) != bool(HAND_ON.search(name)), name


def operations_of(layer: Any, specs: list[tf.TensorSpec]) -> Any:
    def call(*inputs: Any) -> Any:
        return layer(list(inputs) if len(inputs) > 1 and not isinstance(layer, ATTENTION) else inputs[0], *more(inputs))

    def more(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return inputs[1:] if isinstance(layer, ATTENTION) else ()

    graph = tf.function(call, autograph=False).get_concrete_function(*specs).graph
    return refusals(tf.compat.v1.MetaGraphDef(graph_def=graph.as_graph_def()))


ATTENTION = (keras.layers.GroupQueryAttention, keras.layers.MultiHeadAttention)
ARGUMENTS: tuple[tuple[Any, ...], ...] = ((), (3,), (3, 2), (2,), ((2, 2),), (lambda x: x,), (4, 8), (2, 4))
SHAPES: dict[str, list[tuple[int, ...]]] = {"1D": [(6, 4)], "2D": [IMAGE], "3D": [(4, 4, 4, 3)]}
OF_TEXTS = ("Hash", "Lookup", "Text", "String")


def guesses(name: str) -> Iterator[tuple[tuple[Any, ...], tf.TensorSpec]]:
    """Arguments and inputs that a layer of this name may take."""
    dtypes = ("string", "int32") if any(part in name for part in OF_TEXTS) else ("float32", "int32")
    known = (shapes for part, shapes in SHAPES.items() if part in name)
    shapes: list[tuple[int, ...]] = next(known, [(5,), (6, 4), IMAGE, ()])
    for arguments in ARGUMENTS:
        for shape in shapes:
            yield from ((arguments, tf.TensorSpec([None, *shape], dtype)) for dtype in dtypes)


@pytest.mark.slow
def test_every_layer_of_keras_can_be_served() -> None:
    classes = {
        name: cls
        for name, cls in vars(keras.layers).items()
        if isinstance(cls, type) and issubclass(cls, keras.layers.Layer) and name not in LEFT_OUT
    }
    assert len(classes) > 100
    for name, cls in classes.items():
        if name in LAYERS:
            make, shapes = LAYERS[name]
            assert operations_of(make(cls), [tf.TensorSpec([None, *shape]) for shape in shapes]) == (), name
            continue
        for arguments, spec in guesses(name):
            try:
                refused = operations_of(cls(*arguments), [spec])
            except Exception:  # noqa: BLE001, S112 - whatever a layer raises for inputs that are not its own
                continue
            assert refused == (), name
            break
        else:
            pytest.fail(f"{name} took none of the inputs; say which it takes")
