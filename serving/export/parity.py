"""Whether an exported model answers as the Keras model does: the same rows through both, every signature and output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from monitoring.errors import CannotRun
from serving.export.keras_model import tensors_of
from serving.export.signatures_written import (
    EXAMPLES,
    EXAMPLES_INPUT,
    EXPLAIN,
    layer_at_fault,
    served_outputs,
    takes_examples,
    write_examples,
)
from serving.models.signatures import DEFAULT_SIGNATURE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from serving.export.keras_model import Columns, KerasModel

    Array = np.ndarray[Any, Any]

# Appended to the reference's rows by `serving.export.reference_table.sample`.
EDGES = 2
TOLERANCE = 1e-5


def rehearse(model: KerasModel, rows: Columns) -> tuple[Columns, dict[str, Array]]:
    """What the author's model says to the rows, run eagerly; and the rows.

    The last two, with everything missing and with unseen categories, are left out if the model refuses them, or has no
    number to say to them: whether a missing value comes out as NaN or as 0 is then for the kernels to choose (a fused
    Dense and ReLU gives 0, each by itself NaN).

    Raises:
        CannotRun: it refuses the others too.
    """
    first, failed = "", Exception()
    for fewer in (0, EDGES):
        kept = {name: column[: len(column) - fewer] for name, column in rows.items()}
        try:
            answers = {name: np.asarray(value) for name, value in model.ask(tensors_of(model.inputs, kept)).items()}
        except Exception as error:  # noqa: BLE001 - whatever somebody's model raises; named and passed on
            said = (str(error).strip().splitlines() or [type(error).__name__])[0][:500]
            first = f"{layer_at_fault(error)} {said}".strip()
            failed = error
        else:
            if fewer or all(np.isfinite(one[-EDGES:]).all() for one in answers.values() if one.dtype.kind == "f"):
                return kept, _by_row(answers, kept)
    raise CannotRun(
        "The Keras model itself fails on the rows it was tried on.",
        got=first,
        expected="an answer to each row",
        fix="Give rows that it takes: --reference TABLE, with values as the model was trained on.",
    ) from failed


def _by_row(answers: dict[str, Array], rows: Columns) -> dict[str, Array]:
    """The answers, if there is one for each row."""
    count = len(next(iter(rows.values())))
    wrong = [f"{name} {list(value.shape)}" for name, value in answers.items() if value.shape[:1] != (count,)]
    if wrong:
        raise CannotRun(
            "The Keras model does not give one answer a row.",
            got=f"{', '.join(wrong)} for {count} rows",
            expected=f"outputs whose first dimension is {count}",
            fix="Look for an operation along the first axis, such as keras.ops.concatenate without axis=-1, or a mean.",
        )
    return answers


def check_agreement(model: KerasModel, folder: Path, rows: Columns) -> None:
    """Load the SavedModel afresh and compare its answers with those of the author's model, run eagerly.

    Raises:
        CannotRun: an input or output lost its name, or values differ by more than 1e-5 (relative for values beyond 1).
    """
    import tensorflow as tf  # noqa: PLC0415 - whoever has a model has loaded it

    loaded = tf.saved_model.load(str(folder))
    tensors = tensors_of(model.inputs, rows)
    expected = {name: np.asarray(value) for name, value in model.ask(tensors).items()}
    worst = (0.0, "", "")
    for signature, feeds in _calls(model, rows, tensors):
        answers = loaded.signatures[signature](**feeds)
        wanted = model.outputs if signature == EXPLAIN else served_outputs(model)
        if set(answers) != set(wanted):
            raise _disagreement(f"outputs {sorted(answers)} of {signature}", f"outputs {sorted(wanted)}")
        for output in wanted:
            worst = max(worst, (difference(answers[output].numpy(), expected[output]), output, signature))
    largest, output, signature = worst
    if largest > TOLERANCE:
        raise _disagreement(
            f"output {output} of {signature}, which differs by up to {largest:.3g}", f"at most {TOLERANCE:g}"
        )


def difference(got: Array, expected: Array) -> float:
    """The largest difference, relative to the expected value where that is beyond 1; inf where they cannot be compared.

    NaN equals NaN; anything that is no number is equal or infinitely different.

    >>> difference(np.array([1.0, 200.0, np.nan]), np.array([1.0, 100.0, np.nan]))
    1.0
    """
    if got.shape != expected.shape or got.dtype != expected.dtype:
        return float("inf")
    if got.dtype.kind != "f":
        return 0.0 if np.array_equal(got, expected) else float("inf")
    with np.errstate(invalid="ignore"):  # infinity less infinity, which the next line settles
        gap = np.abs(got.astype(np.float64) - expected) / np.maximum(1.0, np.abs(expected))
    same = (got == expected) | (np.isnan(got) & np.isnan(expected))
    gap = np.where(same, 0.0, np.where(np.isfinite(gap), gap, np.inf))
    return float(gap.max(initial=0.0))


def _calls(model: KerasModel, rows: Columns, tensors: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    import tensorflow as tf  # noqa: PLC0415 - as above

    yield DEFAULT_SIGNATURE, tensors
    yield EXPLAIN, tensors
    if takes_examples(model):
        yield EXAMPLES, {EXAMPLES_INPUT: tf.constant(write_examples(model.inputs, rows))}


def _disagreement(got: str, expected: str) -> CannotRun:
    return CannotRun(
        "The exported model does not answer as the Keras model does, so it was not published.",
        got=got,
        expected=expected,
        fix="Look for a layer that draws random numbers at inference, or has Python code that runs only when traced.",
    )
