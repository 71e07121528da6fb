"""The TFDV schema of a model's inputs: inferred from the reference, kept in the bundle, held against every window.

TFDV is imported by the functions that need it, never with this module: it brings TensorFlow along.
"""

from __future__ import annotations

import io
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.errors import BadInput, CannotRun
from monitoring.records import Finding

TRAINING = "TRAINING"
SERVING = "SERVING"

#: Histograms are what TFDV spends most of its time on, and neither inference nor validation reads them.
_FEW_BUCKETS = {"num_histogram_buckets": 1, "num_quantiles_histogram_buckets": 1, "num_values_histogram_buckets": 2}

#: Anomalies that are facts and not rates: the column is gone, or is of another type.
_FACTS = {"SCHEMA_MISSING_COLUMN": "column gone", "UNEXPECTED_DATA_TYPE": "type changed"}

#: Other anomalies that TFDV reports for a feature, in words.
_KINDS = {
    "ENUM_TYPE_UNEXPECTED_STRING_VALUES": "unseen values",
    "SCHEMA_NEW_COLUMN": "new column",
    "FEATURE_TYPE_NOT_PRESENT": "all values missing",
    "FEATURE_TYPE_LOW_FRACTION_PRESENT": "missing values",
    "FEATURE_TYPE_LOW_NUMBER_PRESENT": "missing values",
    "FLOAT_TYPE_BIG_FLOAT": "out of range",
    "FLOAT_TYPE_SMALL_FLOAT": "out of range",
    "FLOAT_TYPE_HAS_INF": "infinite values",
}


def infer_schema(table: pa.Table, *, label: str | None = None) -> Any:
    """Infer the schema of the columns of `table` with TFDV: types, domains of text, presence.

    With environments TRAINING and SERVING; `label` is required in TRAINING and absent in SERVING.
    Returns a `tensorflow_metadata.proto.v0.schema_pb2.Schema`. Cost: seconds for TFDV's import, then about a
    second per million values.
    """
    tfdv, _ = _tfdv()
    schema = tfdv.infer_schema(_statistics(table, schema=None), infer_feature_shape=False)
    schema.default_environment.extend([TRAINING, SERVING])
    if label is not None:
        tfdv.get_feature(schema, label).not_in_environment.append(SERVING)
    return schema


def write_schema(schema: Any, path: Path) -> None:
    """Write a schema as TFDV's text format."""
    tfdv, _ = _tfdv()
    tfdv.write_schema_text(schema, str(path))


def load_schema(path: Path) -> Any:
    """Read a schema that `write_schema` or TFDV wrote. Raises CannotRun if it is not there."""
    if not path.is_file():
        raise CannotRun(
            "The bundle has no schema.",
            got=str(path),
            expected="a TFDV schema in text format",
            fix="Export the model with a reference table.",
        )
    tfdv, _ = _tfdv()
    return tfdv.load_schema_text(str(path))


def validate(table: pa.Table, schema: Any, *, absent: tuple[str, ...] = ()) -> tuple[Finding, ...]:
    """Hold the columns of a window against the schema in environment SERVING; `absent` columns count as not there.

    Statistics are computed with the schema, without which TFDV passes categorical integers silently. An empty window
    has no findings. Cost: about 30 ms for a thousand rows of 16 columns.
    """
    kept = table.drop_columns([name for name in absent if name in table.column_names])
    if kept.num_rows == 0 or kept.num_columns == 0:
        return ()
    tfdv, types = _tfdv()
    anomalies = tfdv.validate_statistics(_statistics(kept, schema=schema), schema, environment=SERVING)
    findings = []
    for feature, info in sorted(anomalies.anomaly_info.items()):
        for reason in info.reason:
            name = types.Name(reason.type)
            kind = _FACTS.get(name) or _KINDS.get(name) or name.lower().replace("_", " ")
            findings.append(Finding(kind=kind, feature=feature, message=reason.description, fact=name in _FACTS))
    return tuple(findings)


def _statistics(table: pa.Table, *, schema: Any) -> Any:
    tfdv, _ = _tfdv()
    from tensorflow_data_validation.statistics import stats_impl  # noqa: PLC0415  # brings TensorFlow
    from tfx_bsl.arrow import table_util  # noqa: PLC0415  # brings TensorFlow

    if table.num_rows == 0:
        raise BadInput("No rows to infer from.", got="an empty table", expected="rows", fix="Give a longer reference.")
    columns = zip(table.column_names, table.columns, strict=True)
    batch = pa.record_batch({name: _plain(column.combine_chunks()) for name, column in columns})
    options = tfdv.StatsOptions(schema=schema, **_FEW_BUCKETS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=RuntimeWarning)  # TFDV divides by zero on constant columns
        return stats_impl.generate_statistics_in_memory(table_util.CanonicalizeRecordBatch(batch), options)


def _plain(column: pa.Array) -> pa.Array:
    """NaN as null, which is what TFDV counts as missing; times as whole numbers, which it would refuse."""
    if pa.types.is_floating(column.type):
        values = np.asarray(column.cast(pa.float64()))
        return pa.array(values, mask=np.isnan(values))
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.int64())
    if pa.types.is_dictionary(column.type):
        return pc.cast(column, pa.string())
    return column


def _tfdv() -> tuple[Any, Any]:
    """TFDV and its enumeration of anomalies."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # third-party imports warn of their own future, and print about notebooks
        import tensorflow_data_validation as tfdv  # noqa: PLC0415  # brings TensorFlow
        from tensorflow_metadata.proto.v0 import anomalies_pb2  # noqa: PLC0415  # as above
    return tfdv, anomalies_pb2.AnomalyInfo.Type
