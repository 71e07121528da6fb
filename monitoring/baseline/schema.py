"""The TFDV schema of a model's inputs: inferred from the reference, stored with it, and checked in every window."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pyarrow as pa

from monitoring.baseline.predictions import as_text
from monitoring.baseline.profile import MAX_CATEGORIES, Bins, commonest
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.baseline.reference import how_to_rewrite
from monitoring.baseline.statistics import dataset_statistics
from monitoring.errors import BadInput, CannotRun
from monitoring.records import Finding
from monitoring.records.finding_parts import SchemaAnomaly

TRAINING = "TRAINING"
SERVING = "SERVING"

#: Characters of a finding's message.
MAX_MESSAGE = 400

#: Anomalies that page at once: the column is gone, or has another type.
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


#: Columns that TFDV validates at once.
MAX_COLUMNS = 256


#: The file of a baseline that was made without TFDV, in whole: its windows are not checked against a schema.
NO_SCHEMA = "# No schema: TensorFlow Data Validation was not installed when this baseline was made.\n"


def has_tfdv() -> bool:
    """Whether TFDV is installed, which infers schemas and checks windows by them."""
    return all(find_spec(name) is not None for name in ("tensorflow_data_validation", "tensorflow_metadata"))


def write_inferred(table: pa.Table, path: Path, *, label: str | None = None) -> None:
    """Infer the schema of a table and write it; without TFDV `NO_SCHEMA`."""
    if has_tfdv():
        write_schema(infer_schema(table, label=label), path)
    else:
        path.write_text(NO_SCHEMA, encoding="utf-8")


def infer_schema(table: pa.Table, *, label: str | None = None) -> Any:
    """Infer the schema of a table with TFDV: types, domains of text, presence. Cost: some 2 ns a number, a hash a word.

    Returns:
        A `tensorflow_metadata.proto.v0.schema_pb2.Schema` with environments TRAINING and SERVING.
    """
    if table.num_rows == 0:
        raise BadInput("No rows to infer from.", got="an empty table", expected="rows", fix="Give a longer reference.")
    schema = infer(table_statistics(table))
    schema.default_environment.extend([TRAINING, SERVING])
    for feature in schema.feature:
        if feature.name == label:
            feature.not_in_environment.append(SERVING)
    return schema


def write_schema(schema: Any, path: Path) -> None:
    """Write a schema in TFDV's text format."""
    from google.protobuf import text_format  # noqa: PLC0415 - evaluating a window does without

    path.write_text(text_format.MessageToString(schema), encoding="utf-8")


def load_schema(path: Path) -> Any:
    """Read a schema that `write_schema` or TFDV wrote; None for `NO_SCHEMA`."""
    if not path.is_file():
        raise CannotRun(
            "The baseline has no schema.",
            got=str(path),
            expected="a TFDV schema in text format",
            fix=how_to_rewrite(path),
        )
    if path.stat().st_size == len(NO_SCHEMA) and path.read_bytes() == NO_SCHEMA.encode():
        return None
    if not has_tfdv():
        raise CannotRun(
            "The baseline has a schema, and TensorFlow Data Validation, which checks windows by it, is not installed.",
            got=str(path),
            expected="TFDV, an extra of the light distribution",
            fix="pip install 'pitfalls-tf-monitor[tfdv]', or pip install pitfalls-tf.",
        )
    from google.protobuf import text_format  # noqa: PLC0415 - as above
    from tensorflow_metadata.proto.v0 import schema_pb2  # noqa: PLC0415 - as above

    try:
        return text_format.Parse(path.read_text("utf-8"), schema_pb2.Schema())
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise CannotRun(
            "The baseline's schema cannot be read.",
            got=f"{path}: {error}",
            expected="a TFDV schema in text format",
            fix=f"Correct that line, if it was edited. {how_to_rewrite(path)}",
        ) from error


def validate(statistics: Any, schema: Any) -> tuple[Finding, ...]:
    """Check a window's statistics against the schema in environment SERVING. Cost: some microseconds a column."""
    dataset = statistics.datasets[0]
    if not dataset.num_examples or not dataset.features:
        return ()
    from tensorflow_metadata.proto.v0 import anomalies_pb2  # noqa: PLC0415 - as above

    types = anomalies_pb2.AnomalyInfo.Type
    findings: dict[str, list[Finding]] = {}
    for part, rules in _parts(statistics, schema):
        for quoted, info in anomalies(part, rules, environment=SERVING).anomaly_info.items():
            feature = info.path.step[0] if info.path.step else quoted  # a name with a point comes in quotation marks
            for reason in info.reason:
                name = types.Name(reason.type)
                kind = _FACTS.get(name) or _KINDS.get(name) or name.lower().replace("_", " ")
                parts = SchemaAnomaly(description=_bounded(reason.description))
                finding = Finding(kind=kind, feature=feature, fact=name in _FACTS, parts=parts)
                of_feature = findings.setdefault(feature, [])
                if finding not in of_feature:  # anomalies of all columns together are in every part
                    of_feature.append(finding)
    return tuple(finding for feature in sorted(findings) for finding in findings[feature])


def _bounded(text: str) -> str:
    """A description of TFDV, cut to `MAX_MESSAGE`: it quotes values of the traffic, which may have any length."""
    text = text.strip()
    return text if len(text) <= MAX_MESSAGE else f"{text[: MAX_MESSAGE // 2]} … {text[-MAX_MESSAGE // 2 :]}"


def _parts(statistics: Any, schema: Any) -> Iterator[tuple[Any, Any]]:
    """Statistics and schema in parts of at most `MAX_COLUMNS` columns, as TFDV's validation is quadratic in them."""
    dataset = statistics.datasets[0]
    if max(len(dataset.features), len(schema.feature)) <= MAX_COLUMNS:
        yield statistics, schema
        return
    features = {each.name or each.path.step[0]: each for each in dataset.features}
    ruled = {each.name: each for each in schema.feature}
    names = list(dict.fromkeys([*ruled, *features]))
    bare_schema, bare = type(schema)(), type(statistics)()
    bare_schema.CopyFrom(schema)
    bare_schema.ClearField("feature")
    bare.datasets.add(name=dataset.name, num_examples=dataset.num_examples)
    for first in range(0, len(names), MAX_COLUMNS):
        here = names[first : first + MAX_COLUMNS]
        part, rules = type(statistics)(), type(schema)()
        part.CopyFrom(bare)
        rules.CopyFrom(bare_schema)
        part.datasets[0].features.extend(features[name] for name in here if name in features)
        rules.feature.extend(ruled[name] for name in here if name in ruled)
        yield part, rules


def table_statistics(table: pa.Table) -> Any:
    """TFDV's statistics of a table, without its generator. There are no quantiles.

    Args:
        table: Columns of numbers, booleans, times and text; NaN counts as missing, a time as an integer.
    """
    columns: dict[str, pa.Array] = {}
    bins = []
    whole = set()
    for name, column in zip(table.column_names, table.columns, strict=True):
        plain, kind = _plain(name, column)
        columns[name] = plain
        if kind == "text":
            bins.append(Bins(feature=name, categories=commonest(plain, MAX_CATEGORIES)))
        else:
            bins.append(Bins(feature=name, edges=()))
            whole |= {name} if kind == "whole" else set()
    features = pa.table(columns) if columns else table
    return dataset_statistics(ProfileBuilder(tuple(bins)).count(features), tuple(bins), whole=frozenset(whole))


def _plain(name: str, column: pa.ChunkedArray) -> tuple[pa.Array, str]:
    """The column as a `ProfileBuilder` takes it, and its kind: "text", "whole" or "number"."""
    values = column.combine_chunks()
    kind = values.type
    if pa.types.is_dictionary(kind):
        values = values.dictionary_decode()
        kind = values.type
    if pa.types.is_timestamp(kind):
        return values.cast(pa.int64()), "whole"
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return values.cast(pa.int64(), safe=False), "whole"
    if pa.types.is_floating(kind):
        return values.cast(pa.float64()), "number"
    if pa.types.is_null(kind):
        return values.cast(pa.float64()), "number"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_string(kind):
        return as_text(values), "text"
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return values.cast(pa.string()), "text"
    raise BadInput(
        "A column has a type that no schema describes.",
        got=f"{name}, of type {kind}",
        expected="numbers, booleans, times or text",
        fix="Leave it out, or split it into columns.",
    )


_PACKAGE = "tensorflow_data_validation"
_MODULE = f"{_PACKAGE}.pywrap.tensorflow_data_validation_extension"

#: Distinct values of a text column up to which they are its domain: TFDV's default.
MAX_DOMAIN_VALUES = 100


def infer(statistics: Any) -> Any:
    """Infer a schema without shapes. Cost: microseconds a column.

    Source: TFDV's `infer_schema` with `infer_feature_shape` off.
    """
    from tensorflow_metadata.proto.v0 import schema_pb2  # noqa: PLC0415 - a tenth of a second

    (dataset,) = statistics.datasets
    schema = schema_pb2.Schema()
    schema.ParseFromString(_native().InferSchema(dataset.SerializeToString(), MAX_DOMAIN_VALUES, False))  # noqa: FBT003
    return schema


def anomalies(
    statistics: Any, schema: Any, *, environment: str, previous: Any | None = None, serving: Any | None = None
) -> Any:
    """The anomalies of statistics. Cost: microseconds a column, quadratic in the columns.

    Source: TFDV's `validate_statistics`.
    """
    from tensorflow_metadata.proto.v0 import anomalies_pb2  # noqa: PLC0415 - a tenth of a second

    if environment not in schema.default_environment:
        raise CannotRun(
            "The schema lacks the environment that windows are checked in.",
            got=f"default_environment {list(schema.default_environment)}",
            expected=environment,
            fix=f'Write `default_environment: "{environment}"` into schema.pbtxt.',
        )
    messages = [_bytes(message) for message in (statistics, previous, serving)]
    result = anomalies_pb2.Anomalies()
    result.ParseFromString(
        _native().ValidateFeatureStatistics(
            messages[0],
            schema.SerializeToString(),
            environment.encode(),
            messages[1],
            messages[2],
            b"",  # no previous version
            b"",  # no features needed
            b"",  # the default configuration
            False,  # noqa: FBT003 - no corrected schema
        )
    )
    return result


def _bytes(statistics: Any | None) -> bytes:
    """The serialised dataset of statistics; empty for None."""
    if statistics is None:
        return b""
    (dataset,) = statistics.datasets
    return bytes(dataset.SerializeToString())


@cache
def _native() -> Any:
    """The C++ functions: of TFDV if it is imported, otherwise from its file; without that file, TFDV is imported."""
    if _MODULE not in sys.modules:
        package = find_spec(_PACKAGE)
        folders = [] if package is None else [Path(place) for place in package.submodule_search_locations or ()]
        files = [path for folder in folders for path in sorted((folder / "pywrap").glob("*_extension*.so"))]
        spec = spec_from_file_location(_MODULE, files[0]) if files else None
        if spec is None or spec.loader is None:
            importlib.import_module(_MODULE)
        else:
            module = module_from_spec(spec)
            spec.loader.exec_module(module)
            sys.modules[_MODULE] = module
    return sys.modules[_MODULE].validation
