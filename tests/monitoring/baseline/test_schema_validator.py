"""TFDV's native module, without TFDV's package, returns what TFDV returns."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline import schema as validator
from monitoring.baseline.schema import SERVING, TRAINING, infer_schema, load_schema, table_statistics, write_schema
from monitoring.errors import CannotRun


@pytest.fixture(scope="module")
def tfdv() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TFDV's imports warn of their own future
        import tensorflow_data_validation

    return tensorflow_data_validation


def rows(shift: float = 0.0, *, seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    count = 500
    return pa.table(
        {
            "temp": pa.array(rng.normal(shift, 1.0, count), mask=rng.random(count) < 0.1),
            "whole": rng.integers(0, 9, count),
            "flag": rng.random(count) < 0.5,
            "few": pa.array(rng.choice(["a", "b", "\U0001f600"], count)),
            "many": pa.array([f"w{place}" for place in rng.integers(0, 400, count)]),
            "empty": pa.nulls(count, pa.string()),
            "late": rng.choice(["no", "yes"], count),
        }
    )


def harmed() -> pa.Table:
    found = rows(5.0, seed=1).drop_columns(["whole", "late"])
    found = found.set_column(found.column_names.index("few"), "few", pa.array(["never seen"] * len(found)))
    return found.append_column("new", pa.array(np.full(len(found), np.inf)))


def test_a_schema_is_inferred_as_tfdv_infers_it(tfdv: Any) -> None:
    statistics = table_statistics(rows())
    assert validator.infer(statistics) == tfdv.infer_schema(statistics, infer_feature_shape=False)


def test_anomalies_and_distances_are_those_of_tfdv(tfdv: Any) -> None:
    schema = infer_schema(rows(), label="late")
    for feature in schema.feature:
        if feature.name == "few":
            feature.skew_comparator.infinity_norm.threshold = 0.01
            feature.drift_comparator.jensen_shannon_divergence.threshold = 0.01
        if feature.name == "temp":
            feature.float_domain.max = 1.0
    now, before = table_statistics(harmed()), table_statistics(rows(seed=2))
    found = validator.anomalies(now, schema, environment=SERVING, previous=before, serving=before)
    assert found == tfdv.validate_statistics(
        now, schema, environment=SERVING, previous_statistics=before, serving_statistics=before
    )
    assert {"whole", "few", "new"} <= set(found.anomaly_info)
    assert found.drift_skew_info
    training = validator.anomalies(now, schema, environment=TRAINING)
    assert training == tfdv.validate_statistics(now, schema, environment=TRAINING)
    assert "late" in training.anomaly_info
    assert "late" not in found.anomaly_info


def test_a_schema_is_written_and_read_as_tfdv_does(tfdv: Any, tmp_path: Path) -> None:
    schema = infer_schema(rows(), label="late")
    write_schema(schema, tmp_path / "ours.pbtxt")
    tfdv.write_schema_text(schema, str(tmp_path / "theirs.pbtxt"))
    assert (tmp_path / "ours.pbtxt").read_bytes() == (tmp_path / "theirs.pbtxt").read_bytes()
    assert load_schema(tmp_path / "theirs.pbtxt") == schema == tfdv.load_schema_text(str(tmp_path / "ours.pbtxt"))


def test_a_schema_that_cannot_be_used_is_one_clear_error(tmp_path: Path) -> None:
    schema = infer_schema(rows())
    del schema.default_environment[:]
    with pytest.raises(CannotRun, match="lacks the environment"):
        validator.anomalies(table_statistics(rows()), schema, environment=SERVING)
    path = tmp_path / "schema.pbtxt"
    for content in (b"feature { name: 3", b"\xff\xfe"):
        path.write_bytes(content)
        with pytest.raises(CannotRun, match="cannot be read"):
            load_schema(path)


ALONE = """
import sys
import pyarrow as pa
from monitoring.baseline.schema import infer_schema, table_statistics, validate
table = pa.table({"x": [1.0, 2.0], "w": ["a", "b"]})
schema = infer_schema(table)
kinds = [found.kind for found in validate(table_statistics(table.drop_columns(["w"])), schema)]
loaded = [name for name in ("tensorflow", "apache_beam", "tensorflow_data_validation") if name in sys.modules]
print(kinds, loaded)
import warnings
warnings.simplefilter("ignore")
import tensorflow_data_validation as tfdv
again = tfdv.infer_schema(table_statistics(table), infer_feature_shape=False)
print([feature.name for feature in again.feature], tfdv.api.validation_api.pywrap_tensorflow_data_validation is
      sys.modules["tensorflow_data_validation.pywrap.tensorflow_data_validation_extension"].validation)
"""


def test_neither_tensorflow_nor_beam_is_loaded_and_tfdv_may_come_later() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ALONE], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("[")]
    assert lines == ["['column gone'] []", "['x', 'w'] True"]


def test_without_the_modules_file_tfdv_itself_is_imported(tfdv: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    native = validator._native()
    monkeypatch.delitem(sys.modules, validator._MODULE)
    monkeypatch.setattr(validator, "find_spec", lambda _: None)
    validator._native.cache_clear()
    try:
        assert validator._native().InferSchema.__doc__ == native.InferSchema.__doc__
    finally:
        validator._native.cache_clear()
