"""Frames between a scorer and its child: tables and tensors come back as they were."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.rollout.scoring import CandidateAnswers
from serving.shadow.frames import LENGTH, framed, scored_rows, scored_table, unframed

TENSORS: dict[str, np.ndarray] = {
    "scores": np.array([[0.25, np.nan], [1.0, 0.0]], np.float32),
    "image": np.arange(12, dtype=np.int64).reshape(2, 3, 2),
    "word": np.array([b"a", b""], dtype=object),
    "flag": np.array([[True], [False]]),
}


@given(st.integers(0, 50), st.dictionaries(st.binary(min_size=1, max_size=5), st.binary(max_size=9), max_size=3))
def test_a_table_comes_back(rows: int, said: dict[bytes, bytes]) -> None:
    table = pa.table({"x": pa.array(range(rows), pa.int64())})
    frame = framed(table, said)
    assert int.from_bytes(frame[:LENGTH], "little") == len(frame) - LENGTH
    found, metadata = unframed(frame[LENGTH:])
    assert found.to_pydict() == table.to_pydict()
    assert dict(metadata) == said


@pytest.mark.parametrize("alone", [False, True])
def test_answers_come_back_to_the_bit(alone: bool) -> None:
    times = np.array([5, 9]) if alone else None
    scored = CandidateAnswers(outputs=TENSORS, answered=np.array([True, False]), run_us=times, reasons=("No.",))
    found = scored_rows(*unframed(framed(*scored_table(scored))[LENGTH:]))
    assert found.reasons == ("No.",)
    assert found.answered.tolist() == [True, False]
    assert (found.run_us is None) != alone
    for name, tensor in TENSORS.items():
        np.testing.assert_array_equal(found.outputs[name], tensor)
        assert found.outputs[name].dtype == tensor.dtype


def test_damaged_frames_are_told() -> None:
    with pytest.raises(pa.ArrowException):
        unframed(b"no Arrow at all")
