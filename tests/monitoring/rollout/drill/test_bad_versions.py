"""What bad versions do to inputs and answers."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from monitoring.rollout.drill.bad_versions import BAD_VERSIONS, bad_versions

WITH_ANSWERS = [one.name for one in BAD_VERSIONS if one.answers is not None]


def logged(**columns: np.ndarray) -> pa.Table:
    """Columns as a traffic log has them."""
    arrays, fields = [], []
    for name, values in columns.items():
        width = int(np.prod(values.shape[1:]))
        kind = pa.binary() if values.dtype == object else pa.from_numpy_dtype(values.dtype)
        arrays.append(pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1), kind), width).cast(pa.list_(kind)))
        shape = json.dumps(list(values.shape[1:]))
        fields.append(pa.field(f"input:{name}", arrays[-1].type, metadata={"shape": shape}))
    return pa.table(arrays, schema=pa.schema(fields))


ROWS = logged(
    a=np.array([1.0, 2.0, 3.0], np.float32),
    b=np.array([10.0, 20.0, np.nan], np.float32),
    word=np.array([b"ant", b"bee", b"cat"], object),
    image=np.arange(3 * 2 * 2 * 3, dtype=np.float32).reshape(3, 2, 2, 3),
)


def changed(name: str, rows: pa.Table = ROWS) -> pa.Table:
    (version,) = bad_versions([name])
    found = version.inputs_of(rows)
    assert found is not None
    assert found.schema == rows.schema
    return found


def test_preprocessing_changes_the_inputs_of_its_kind_and_no_others() -> None:
    assert changed("unit")["input:a"].to_pylist() == [[100.0], [200.0], [300.0]]
    assert changed("unit")["input:word"] == ROWS["input:word"]
    swapped = changed("numbers-swapped")
    assert (swapped["input:a"].to_pylist()[:2], swapped["input:b"].to_pylist()) == (
        [[10.0], [20.0]],
        [[1.0], [2.0], [3.0]],
    )
    assert changed("other-case")["input:word"].to_pylist() == [[b"ANT "], [b"BEE "], [b"CAT "]]
    assert changed("channels-swapped")["input:image"].to_pylist()[0][:6] == [2.0, 1.0, 0.0, 5.0, 4.0, 3.0]
    many = logged(a=np.linspace(0.0, 1.0, 50, dtype=np.float32))
    assert len(set(map(tuple, changed("inputs-quantised", many)["input:a"].to_pylist()))) == 3


def test_one_that_has_nothing_to_change_does_not_fit() -> None:
    (version,) = bad_versions(["channels-swapped"])
    assert version.inputs_of(ROWS.select(["input:a", "input:word"])) is None
    (version,) = bad_versions(["stale-vocabulary"])
    assert version.inputs_of(ROWS.select(["input:a"])) is None


@pytest.mark.parametrize("name", WITH_ANSWERS)
def test_answers_have_the_shape_of_answers_and_differ(name: str) -> None:
    rng = np.random.default_rng(1)
    answers = rng.dirichlet(np.ones(3), 400)
    (version,) = bad_versions([name])
    assert version.answers is not None
    found = version.answers(answers.copy(), rng)
    assert found.shape == answers.shape
    usable = np.isfinite(found).all(axis=1)
    assert usable.mean() > 0.9
    np.testing.assert_allclose(found[usable].sum(axis=1), 1.0)
    assert not np.array_equal(found, answers)


def test_one_that_is_not_known_is_refused() -> None:
    with pytest.raises(BadInput, match="no such bad version"):
        bad_versions(["unit", "unlucky"])
