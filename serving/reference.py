"""The reference table beside the model it is exported with: whether they fit, and rows of it to try the model on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.baseline import BaselineSpec, FeatureSpec
from monitoring.errors import BadInput
from serving.columns import MISSING_CATEGORY, columns_of
from serving.endpoints import PROBABILITIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serving.keras_model import KerasModel, ModelInput

    Column = np.ndarray[Any, Any]

SAMPLED = 256
UNSEEN_CATEGORY = b"\xc3\x97 never seen"


def baseline_spec(model: KerasModel, classes: tuple[str, ...]) -> BaselineSpec:
    """What the baseline of this model is about."""
    features = tuple(FeatureSpec(name=one.name, kind=one.kind) for one in model.inputs)
    return BaselineSpec(classes=classes, features=features)


def check_reference(reference: pa.Table, model: KerasModel, classes: tuple[str, ...]) -> None:
    """See that the table has what a baseline of the model needs.

    Raises:
        BadInput: with every problem there is: columns that are absent or of the wrong type, inputs that are no
            scalars, classes that fit neither the labels nor the probabilities.
    """
    problems = [*_class_problems(model, classes), *_column_problems(reference, model, classes)]
    if problems:
        raise BadInput(
            "The reference table does not fit the model.",
            got="; ".join(problems),
            expected="prediction_id, event_time, probabilities, label, label_time, and the inputs in the model's types",
            fix="Mend the table, or name the classes in the order of the probabilities: --classes on_time,late.",
        )


def sample(reference: pa.Table | None, inputs: tuple[ModelInput, ...], rng: np.random.Generator) -> dict[str, Column]:
    """Up to 256 rows spread over the reference, then one with everything missing and one with unseen categories.

    Without a reference the numbers are standard normal (whole numbers 0) and the categories missing. Missing whole
    numbers are 0 as well.
    """
    if reference is None:
        return {one.name: _made_up(one, rng) for one in inputs}
    places = np.unique(np.linspace(0, reference.num_rows - 1, SAMPLED).astype(np.int64))
    columns = columns_of(reference.take(pa.array(places)), {one.name: one.kind for one in inputs})
    return {one.name: _with_edges(one, columns[one.name]) for one in inputs}


def _with_edges(one: ModelInput, column: Column) -> Column:
    if one.kind == "category":
        return np.concatenate([column, np.array([MISSING_CATEGORY.encode(), UNSEEN_CATEGORY], object)])
    padded = np.concatenate([column, np.array([np.nan, column[0]], column.dtype)])
    return padded if one.is_float else np.nan_to_num(padded)


def _made_up(one: ModelInput, rng: np.random.Generator) -> Column:
    shape = (SAMPLED, *(1 if size == -1 else size for size in one.shape))
    if one.kind == "category":
        return np.full(shape, MISSING_CATEGORY.encode(), object)
    return rng.standard_normal(shape) if one.is_float else np.zeros(shape)


def _class_problems(model: KerasModel, classes: tuple[str, ...]) -> Iterator[str]:
    if PROBABILITIES not in model.outputs:
        yield f"the model has no output named {PROBABILITIES} but {', '.join(model.outputs)}"
    elif model.width(PROBABILITIES) not in {None, len(classes)}:
        yield f"the model gives {model.width(PROBABILITIES)} probabilities for {len(classes)} classes"
    for one in model.inputs:
        if one.shape:
            yield f"input {one.name} of the model is no scalar but of shape {list(one.shape)}"


def _column_problems(reference: pa.Table, model: KerasModel, classes: tuple[str, ...]) -> Iterator[str]:
    if reference.num_rows == 0:
        yield "no rows"
    wanted = {
        "prediction_id": _is_text,
        "event_time": pa.types.is_timestamp,
        **{one.name: _is_text if one.kind == "category" else _is_number for one in model.inputs},
        "probabilities": _is_list_of_floats,
        "label": _is_text,
        "label_time": pa.types.is_timestamp,
    }
    types = {name: reference.schema.field(name).type for name in wanted if name in reference.column_names}
    for name, fits in wanted.items():
        if name not in types:
            yield f"no column {name}"
        elif not fits(types[name]):
            yield f"column {name} is {types[name]}"
    if "label" in types and _is_text(types["label"]):
        labels = set(pc.unique(reference["label"].drop_null()).to_pylist())
        unknown = sorted(labels - set(classes))
        if unknown:
            yield f"labels {', '.join(unknown[:5])} are not among the classes {', '.join(classes) or '(none given)'}"
    if "probabilities" in types and _is_list_of_floats(types["probabilities"]):
        lengths = pc.unique(pc.fill_null(pc.list_value_length(reference["probabilities"]), 0)).to_pylist()
        if reference.num_rows and lengths != [len(classes)]:
            yield f"probabilities of length {', '.join(map(str, lengths[:5]))} for {len(classes)} classes"


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def _is_list_of_floats(kind: pa.DataType) -> bool:
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return bool(lists and pa.types.is_floating(kind.value_type))
