"""Class probabilities computed from a model's output: a distribution, logits, or one number for two classes.

=======================  =====================================================================================
the model gives          the bundle gives
=======================  =====================================================================================
``probabilities``        what the model gives
[n, k], rows sum to 1    the output itself as ``probabilities``, if it is the only one
[n, k] in [0, 1]         refused, or left as it is where labels are sets of classes: sigmoids, each of a class by itself
[n, k] otherwise         its softmax as ``probabilities``; the output, if it is the only one, becomes ``logits``
[n, 1] or [n] in [0, 1]  1 - p and p as ``probabilities``, and the output
[n, 1] or [n] otherwise  as before, of its sigmoid; the output, if it is the only one, becomes ``logits``
=======================  =====================================================================================
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.errors import BadInput
from monitoring.tasks.multilabel import Multilabel
from serving.export.reference_labels import LISTED, labels_as_text, listed

Array = np.ndarray[Any, Any]

PROBABILITIES: Final = "probabilities"
LOGITS: Final = "logits"
EMBEDDING: Final = "embedding"
# How far the sum of a float32 softmax, of up to thousands of classes, is from 1 at most.
ROUNDING: Final = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassOutput:
    """How `probabilities` are computed from the output `source`. `alone`: the model has no other output."""

    source: str
    form: Literal["distribution", "logits", "probability", "logit"]
    classes: int
    alone: bool

    @property
    def bundle_name(self) -> str:
        """The source's name in the bundle."""
        if not self.alone:
            return self.source
        return {"distribution": PROBABILITIES, "logits": LOGITS, "logit": LOGITS}.get(self.form, self.source)

    def outputs(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The bundle's outputs, given the model's own."""
        renamed = tuple(self.bundle_name if name == self.source else name for name in names)
        return renamed if PROBABILITIES in renamed else (*renamed, PROBABILITIES)

    def add(self, answers: Mapping[str, Any]) -> dict[str, Any]:
        """The model's output tensors, with `probabilities`."""
        import tensorflow as tf  # noqa: PLC0415 - a model has loaded it

        outputs = {self.bundle_name if name == self.source else name: value for name, value in answers.items()}
        raw = answers[self.source]
        if self.form == "distribution":
            outputs[PROBABILITIES] = raw
        elif self.form == "logits":
            outputs[PROBABILITIES] = tf.nn.softmax(raw)
        else:
            second = tf.reshape(raw if self.form == "probability" else tf.sigmoid(raw), [-1])
            outputs[PROBABILITIES] = tf.stack([1 - second, second], axis=-1)
        return outputs


def find_class_output(answers: Mapping[str, Array], classes: int, output: str | None = None) -> ClassOutput | None:
    """Find the output that holds the classes' scores.

    >>> find_class_output({"outputs": np.array([[2.0, -1.0, 0.5]])}, 3).form
    'logits'

    Args:
        answers: Outputs by name, [n, …].
        output: The output that the owner names; None if the owner named none.

    Returns:
        How probabilities are computed from it; None if the model has an output of that name already.
    """
    if PROBABILITIES in answers and answers[PROBABILITIES].shape[1:] == (classes,) and output in {None, PROBABILITIES}:
        return None
    floats = {
        name: value
        for name, value in answers.items()
        if value.dtype.kind == "f" and name != PROBABILITIES and output in {None, name}
    }
    fitting = [name for name, value in floats.items() if value.ndim == 2 and value.shape[1] == classes > 1]
    if not fitting and classes == 2:
        fitting = [name for name, value in floats.items() if is_one_number(value)]
    if LOGITS in fitting:
        fitting = [LOGITS]
    if len(fitting) != 1 or PROBABILITIES in answers:
        raise BadInput(
            "The classes do not fit the model's outputs.",
            got=f"{classes} classes, and outputs "
            + ", ".join(f"{name} {list(value.shape[1:])}" for name, value in answers.items()),
            expected="one output with a number for each class, or, for two classes, with one number",
            fix="Name the output of the class probabilities `probabilities`, or with --output; or omit --classes.",
        )
    source = fitting[0]
    values = answers[source].astype(np.float64)
    within = bool(np.all(np.isnan(values) | ((values >= 0) & (values <= 1))))
    if is_one_number(values):
        form: Literal["distribution", "logits", "probability", "logit"] = "probability" if within else "logit"
    else:
        sums = values.sum(axis=-1)
        sums_to_one = bool(np.all(np.isnan(sums) | (np.abs(sums - 1) < ROUNDING)))
        if within and not sums_to_one and source != LOGITS:
            raise BadInput(
                "The model gives a probability to each of several labels, not to one of the classes.",
                got=f"output {source}, from 0 to 1 in every row, sums {np.nanmin(sums):.3g} to {np.nanmax(sums):.3g}",
                expected="probabilities that sum to 1, or logits",
                fix="Give --task multilabel, and labels as a|b or lists. Name logits `logits`.",
            )
        form = "distribution" if within and sums_to_one else "logits"
    return ClassOutput(source=source, form=form, classes=classes, alone=len(answers) == 1)


def gives_sets(
    answers: Mapping[str, Array],
    labels: pa.ChunkedArray[Any] | None,
    classes: tuple[str, ...],
    output: str | None = None,
) -> bool:
    """Whether an output is the probability of each of several classes by itself, and labels name sets of them.

    >>> gives_sets({"outputs": np.array([[0.9, 0.8], [0.1, 0.0]])}, None, ("dog", "cat"))
    True

    Args:
        answers: Outputs by name, [n, …].
        labels: The column of labels; None if there is none.

    Returns:
        True where one output has a number from 0 to 1 for each class, and they do not sum to 1.
    """
    if (
        len(classes) < 2
        or {PROBABILITIES, LOGITS} & set(answers)
        or len(_set_outputs(answers, len(classes), output)) != 1
    ):
        return False
    if labels is None:
        return True
    task = Multilabel(classes=classes)
    texts = pa.chunked_array([pc.unique(labels_as_text(labels)).drop_null()])
    return not task.unknown(task.label_codes(texts)).any()


def find_set_output(answers: Mapping[str, Array], classes: int, output: str | None = None) -> str:
    """Find the output that holds a probability of each class by itself. `answers`: outputs by name, [n, …]."""
    fitting = _set_outputs(answers, classes, output, strict=False)
    if len(fitting) != 1:
        raise BadInput(
            "The classes do not fit the model's outputs.",
            got=f"{classes} classes, and outputs "
            + ", ".join(f"{name} {list(value.shape[1:])}" for name, value in answers.items()),
            expected="one output with a probability, from 0 to 1, for each class",
            fix="Name it with --output; end a model of logits with keras.layers.Activation('sigmoid').",
        )
    return fitting[0]


def _set_outputs(
    answers: Mapping[str, Array], classes: int, output: str | None, *, strict: bool = True
) -> tuple[str, ...]:
    """Outputs of numbers from 0 to 1, one for each class; `strict`: that do not sum to 1."""
    names = []
    for name, value in answers.items():
        if value.dtype.kind != "f" or value.shape[1:] != (classes,) or output not in {None, name}:
            continue
        values = value.astype(np.float64)
        within = bool(np.all(np.isnan(values) | ((values >= 0) & (values <= 1))))
        sums = values.sum(axis=-1)
        if within and not (strict and np.all(np.isnan(sums) | (np.abs(sums - 1) < ROUNDING))):
            names.append(name)
    return tuple(names)


def infer_classes(labels: Sequence[str], answers: Mapping[str, Array], *, text: bool) -> tuple[str, ...]:
    """Infer the classes from the labels that occur, if they are indices 0, 1, … into one output.

    >>> infer_classes(["1", "0"], {"outputs": np.array([[0.5], [0.25]])}, text=False)
    ('0', '1')

    Args:
        answers: Outputs by name, [n, …].
        text: Whether the labels are text, whose order cannot be inferred.
    """
    widths = {
        value.shape[1] if value.ndim == 2 and value.shape[1] > 1 else 2
        for value in answers.values()
        if value.dtype.kind == "f" and value.ndim <= 2
    }
    distinct = set(labels)
    if text:
        if not distinct or max(widths, default=0) < len(distinct):
            return ()
        names = sorted(distinct)
        orders = [names, names[::-1]] if len(names) == 2 else [names[:LISTED]]
        flags = " or ".join(f"--classes {shlex.quote(','.join(order))}" for order in orders)
        raise BadInput(
            "The labels are names, and their order in the model's output is not known.",
            got=f"{len(names)} labels: {listed(names)}",
            expected="the classes in the order of the model's output",
            fix=f"Give all of them in that order: {flags}"
            + (", where one number is the probability of the last." if len(names) == 2 else ""),
        )
    for width in sorted(widths):
        places = tuple(str(place) for place in range(width))
        if distinct and distinct <= set(places):
            return places
    return ()


def is_one_number(value: Array) -> bool:
    """Whether an output, [n, …], is one number a row."""
    return value.ndim == 1 or (value.ndim == 2 and value.shape[1] == 1)
