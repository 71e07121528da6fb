"""TFDV's schema inference and validation by its native module alone.

TFDV's Python package loads TensorFlow and Beam, ten seconds of processor time and 600 MB, around a C++ module that
needs neither. Statistics come from the profile (`monitoring.baseline.statistics`), so only that module is loaded, from
its file, without importing the package. It is registered under its own name, so a process that imports TFDV before or
after has one instance of it. Inputs and outputs are the messages that TFDV's `infer_schema` and `validate_statistics`
exchange with it; a test compares the two.
"""

from __future__ import annotations

import importlib
import sys
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from monitoring.errors import CannotRun

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

    Raises:
        CannotRun: For a schema without the environment.
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
