"""TFDV's inference and validation by its native module alone.

TFDV's Python package brings TensorFlow and Beam along, ten seconds of processor time and 600 MB, around a module in
C++ that needs neither. Statistics are ours already (see `monitoring.baseline.statistics`), so that module is asked
alone: by its file, without importing the package around it. It is the same module under the same name, so that a
process that imports TFDV as well, before or after, has one of it; and what it is given and gives are the messages
that TFDV's `infer_schema` and `validate_statistics` exchange with it, which a test holds side by side.
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

#: Different words of a text column up to which they are its domain: TFDV's own default.
MOST_WORDS = 100


def infer(statistics: Any) -> Any:
    """The schema of a `DatasetFeatureStatisticsList` of one dataset, without shapes. Cost: microseconds a column.

    Source: TFDV's `infer_schema` with `infer_feature_shape` off.
    """
    from tensorflow_metadata.proto.v0 import schema_pb2  # noqa: PLC0415 - a tenth of a second

    (dataset,) = statistics.datasets
    schema = schema_pb2.Schema()
    schema.ParseFromString(_native().InferSchema(dataset.SerializeToString(), MOST_WORDS, False))  # noqa: FBT003
    return schema


def anomalies(
    statistics: Any, schema: Any, *, environment: str, previous: Any | None = None, serving: Any | None = None
) -> Any:
    """The `Anomalies` of statistics of one dataset in an environment of the schema.

    `previous` and `serving` are statistics that drift and skew comparators hold them against. Raises CannotRun for a
    schema without that environment. Cost: microseconds a column, by the square of the columns.

    Source: TFDV's `validate_statistics`.
    """
    from tensorflow_metadata.proto.v0 import anomalies_pb2  # noqa: PLC0415 - a tenth of a second

    if environment not in schema.default_environment:
        raise CannotRun(
            "The schema does not have the environment that windows are checked in.",
            got=f"default_environment {list(schema.default_environment)}",
            expected=environment,
            fix=f'Write `default_environment: "{environment}"` into schema.pbtxt.',
        )
    given = [_bytes(one) for one in (statistics, previous, serving)]
    found = anomalies_pb2.Anomalies()
    found.ParseFromString(
        _native().ValidateFeatureStatistics(
            given[0],
            schema.SerializeToString(),
            environment.encode(),
            given[1],
            given[2],
            b"",  # of no version before
            b"",  # features are needed for no special reason
            b"",  # the default configuration
            False,  # noqa: FBT003 - no comparison with a mended schema
        )
    )
    return found


def _bytes(statistics: Any | None) -> bytes:
    """The one dataset of statistics."""
    if statistics is None:
        return b""
    (dataset,) = statistics.datasets
    return bytes(dataset.SerializeToString())


@cache
def _native() -> Any:
    """Functions in C++: of TFDV if it is imported, else from its file; where that lies elsewhere TFDV is imported."""
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
