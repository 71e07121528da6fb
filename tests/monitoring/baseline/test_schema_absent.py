"""A monitor without TensorFlow Data Validation: no schema, everything else."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from monitoring.baseline import schema
from monitoring.errors import CannotRun


def test_without_tfdv_a_baseline_says_that_it_has_no_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = pa.table({"x": [1.0, 2.0]})
    monkeypatch.setattr(schema, "find_spec", lambda _: None)
    schema.write_inferred(table, tmp_path / "schema.pbtxt")
    assert schema.load_schema(tmp_path / "schema.pbtxt") is None
    monkeypatch.undo()
    assert schema.load_schema(tmp_path / "schema.pbtxt") is None, "the complete distribution reads it too"
    schema.write_inferred(table, tmp_path / "other.pbtxt")
    monkeypatch.setattr(schema, "find_spec", lambda _: None)
    with pytest.raises(CannotRun, match=r"pip install 'pitfalls-tf-monitor\[tfdv\]'"):
        schema.load_schema(tmp_path / "other.pbtxt")
