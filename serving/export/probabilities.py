"""Class probabilities out of a model that gives something else: logits, or one number for the second of two classes.

=======================  =====================================================================================
the model gives          the bundle gives
=======================  =====================================================================================
``probabilities``        what the model gives
[n, k], rows sum to 1    the output itself as ``probabilities``, if it is the only one
[n, k] otherwise         its softmax as ``probabilities``; the output, if it is the only one, becomes ``logits``
[n, 1] or [n] in [0, 1]  1 - p and p as ``probabilities``, beside the output
[n, 1] or [n] otherwise  as before, of its sigmoid; the output, if it is the only one, becomes ``logits``
=======================  =====================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from monitoring.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Array = np.ndarray[Any, Any]

PROBABILITIES: Final = "probabilities"
LOGITS: Final = "logits"
EMBEDDING: Final = "embedding"
# How far a float32 softmax's rows, of up to thousands of classes, are from 1 at most.
ROUNDING: Final = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How `probabilities` come out of the output called `source`. `alone` says that the model has no other output."""

    source: str
    form: Literal["distribution", "logits", "probability", "logit"]
    classes: int
    alone: bool

    @property
    def kept(self) -> str:
        """What the source is called in the bundle."""
        if not self.alone:
            return self.source
        return {"distribution": PROBABILITIES, "logits": LOGITS, "logit": LOGITS}.get(self.form, self.source)

    def outputs(self, own: tuple[str, ...]) -> tuple[str, ...]:
        """The bundle's outputs."""
        renamed = tuple(self.kept if name == self.source else name for name in own)
        return renamed if PROBABILITIES in renamed else (*renamed, PROBABILITIES)

    def add(self, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Tensors of the model, with `probabilities`."""
        import tensorflow as tf  # noqa: PLC0415 - whoever has a model has loaded it

        found = {self.kept if name == self.source else name: value for name, value in answers.items()}
        raw = answers[self.source]
        if self.form == "distribution":
            found[PROBABILITIES] = raw
        elif self.form == "logits":
            found[PROBABILITIES] = tf.nn.softmax(raw)
        else:
            second = tf.reshape(raw if self.form == "probability" else tf.sigmoid(raw), [-1])
            found[PROBABILITIES] = tf.stack([1 - second, second], axis=-1)
        return found


def find_score(answers: Mapping[str, Array], classes: int) -> Score | None:
    """How to get one probability a class out of these answers [n, …]; None where the model gives them itself.

    Raises:
        BadInput: no output, or more than one, can be the classes'.

    >>> find_score({"outputs": np.array([[2.0, -1.0, 0.5]])}, 3).form
    'logits'
    """
    if PROBABILITIES in answers and answers[PROBABILITIES].shape[1:] == (classes,):
        return None
    floats = {name: value for name, value in answers.items() if value.dtype.kind == "f" and name != PROBABILITIES}
    fitting = [name for name, value in floats.items() if value.ndim == 2 and value.shape[1] == classes > 1]
    if not fitting and classes == 2:
        fitting = [name for name, value in floats.items() if _is_one_number(value)]
    if LOGITS in fitting:
        fitting = [LOGITS]
    if len(fitting) != 1 or PROBABILITIES in answers:
        raise BadInput(
            "The classes do not fit the model's outputs.",
            got=f"{classes} classes, and outputs "
            + ", ".join(f"{name} {list(value.shape[1:])}" for name, value in answers.items()),
            expected="one output with a number for each class, or for two classes with one number",
            fix="Name the output of the class probabilities `probabilities`, or leave --classes away.",
        )
    source = fitting[0]
    values = answers[source].astype(np.float64)
    within = bool(np.all(np.isnan(values) | ((values >= 0) & (values <= 1))))
    if _is_one_number(values):
        form: Literal["distribution", "logits", "probability", "logit"] = "probability" if within else "logit"
    else:
        sums = values.sum(axis=-1)
        one = bool(np.all(np.isnan(sums) | (np.abs(sums - 1) < ROUNDING)))
        form = "distribution" if within and one else "logits"
    return Score(source=source, form=form, classes=classes, alone=len(answers) == 1)


def classes_of(labels: Sequence[str], answers: Mapping[str, Array], *, text: bool) -> tuple[str, ...]:
    """Class names out of the labels that occur: the places 0, 1, … of one output's numbers; () where nothing says so.

    ``text`` says that the labels are words, whose order cannot be told.

    Raises:
        BadInput: words, and an output that may well be theirs.

    >>> classes_of(["1", "0"], {"outputs": np.array([[0.5], [0.25]])}, text=False)
    ('0', '1')
    """
    widths = {
        value.shape[1] if value.ndim == 2 and value.shape[1] > 1 else 2
        for value in answers.values()
        if value.dtype.kind == "f" and value.ndim <= 2
    }
    found = set(labels)
    if text:
        if not found or max(widths, default=0) < len(found):
            return ()
        raise BadInput(
            "The labels are names, and nothing says which class each number of the model's answer is.",
            got=f"labels {', '.join(sorted(found)[:5])}",
            expected="their order in the model's answer",
            fix=f"Name them in that order: --classes {','.join(sorted(found)[:5])}",
        )
    for width in sorted(widths):
        places = tuple(str(place) for place in range(width))
        if found and found <= set(places):
            return places
    return ()


def _is_one_number(value: Array) -> bool:
    return value.ndim == 1 or (value.ndim == 2 and value.shape[1] == 1)
