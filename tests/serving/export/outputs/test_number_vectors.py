"""A model of several numbers in one output is exported with the task of its labels, or refused with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.folder import load_baseline
from monitoring.errors import BadInput
from serving.export.export import Reference, export_bundle
from serving.export.manifest import Provenance
from serving.export.outputs.number_vectors import find_vector_output, labels_of_vectors
from tests.serving.export_model import now

STEPS: Any = np.zeros((4, 3), np.float32)
ANSWERS: dict[str, Any] = {"ids": np.zeros((4, 3), np.int64), "one": np.zeros((4, 1), np.float32), "steps": STEPS}


def read(labels: Any, *, declared: bool = False) -> tuple[list[str | None], tuple[str, ...]] | None:
    found = labels_of_vectors(pa.table({"y": labels}), "y", (), declared=declared)
    return None if found is None else (found[0].to_pylist(), found[1])


def test_lists_of_numbers_are_labels_of_several_numbers() -> None:
    assert read([[1.5, 2.0], [3.0, 4.0]]) == (["[1.5,2]", "[3,4]"], ("[0]", "[1]"))
    fixed = pa.array([[1, 2], None], pa.list_(pa.int64(), 2))
    assert read(fixed) == (["[1,2]", None], ("[0]", "[1]"))
    assert read(["1.5 2", "3 4"], declared=True) == (["1.5 2", "3 4"], ("[0]", "[1]"))


@pytest.mark.parametrize(
    "labels", [[[1, 0], [0, 1]], [["a"], ["b"]], [[1.5], [1.5, 2.0]], [1.5, 2.5], ["a b", "c"]], ids=str
)
def test_other_labels_are_none_unless_their_owner_says_so(labels: Any) -> None:
    assert read(labels) is None


def test_columns_give_the_numbers_their_names_and_a_missing_one_makes_no_label() -> None:
    table = pa.table({"h1": [1.5, None], "h2": [0, 1]})
    found = labels_of_vectors(table, "label", ("h1", "h2"), declared=False)
    assert found is not None
    assert (found[0].to_pylist(), found[1]) == (["[1.5,0]", None], ("h1", "h2"))


def test_numbers_of_lists_have_the_names_that_their_owner_gives_where_the_task_is_said() -> None:
    table, names = pa.table({"truth": [[1.5, 2.0], [3.0, 4.0]]}), ("1 h", "2 h")
    named = Reference(table=table, label="truth", task="regression").named().with_lists(names)
    named.check_task(names)
    assert named.numbers == names
    with pytest.raises(BadInput, match="another number of them"):
        Reference(table=table, label="truth", task="regression").named().with_lists(("1 h",))
    unsaid = Reference(table=table, label="truth").named().with_lists(names)
    with pytest.raises(BadInput, match="has no classes"):
        unsaid.check_task(names)


def test_labels_of_other_lengths_are_refused_where_numbers_are_declared() -> None:
    with pytest.raises(BadInput, match="are not 2 numbers"):
        read([[1.5, 2.0], [3.0]], declared=True)


def test_the_output_is_the_one_with_so_many_numbers() -> None:
    assert find_vector_output(ANSWERS, 3) == "steps"
    with pytest.raises(BadInput, match="No output of the model fits"):
        find_vector_output(ANSWERS, 2)
    with pytest.raises(BadInput, match="Several outputs"):
        find_vector_output({"a": STEPS, "b": STEPS}, 3)
    assert find_vector_output({"a": STEPS, "b": STEPS}, 3, "b") == "b"


def test_a_bundle_has_the_task_and_the_errors_of_each_number(tmp_path: Path) -> None:
    inputs = keras.Input((2,), name="x")
    model = keras.Model(inputs, {"steps": keras.layers.Dense(3)(inputs), "other": keras.layers.Dense(1)(inputs)})
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 2)).astype(np.float32)
    truth = model.predict(rows, verbose=0)["steps"] + rng.normal(size=(60, 3))
    table = pa.table({"x": list(rows), **{f"h{step}": truth[:, step] for step in range(3)}})
    reference = Reference(table=table, label_columns=("h0", "h1", "h2"))
    bundle = export_bundle(model, folder=tmp_path / "steps", reference=reference, provenance=Provenance(), clock=now)
    assert "Output steps is interpreted as 3 predicted numbers (h0, h1, h2)." in bundle.remarks
    assert any("not for losses: other" in remark for remark in bundle.remarks)
    spec = load_baseline(bundle.path / "assets.extra/baseline").spec
    assert (spec.output, spec.task.number_names) == ("steps", ("h0", "h1", "h2"))
    means = {one.metric: one.mean for one in bundle.metrics}
    assert means["absolute_error"] == pytest.approx(
        np.mean([means[f"number_absolute_error:h{step}"] for step in range(3)])
    )
