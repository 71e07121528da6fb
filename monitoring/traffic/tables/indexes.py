"""Columns that count rows and mean nothing: an index that pandas wrote beside a frame's own columns."""

from __future__ import annotations

import json
import re

import pyarrow as pa

#: What pandas calls an index without a name: in Parquet, and where it read one back from CSV.
_NAMELESS = re.compile(r"__index_level_\d+__|Unnamed: 0(\.\d+)*")


def index_columns(schema: pa.Schema) -> frozenset[str]:
    """The columns of a file that were a frame's index, as pandas' own metadata or their names say.

    >>> index_columns(pa.schema([("__index_level_0__", pa.int64()), ("age", pa.int64())]))
    frozenset({'__index_level_0__'})
    """
    said = _said((schema.metadata or {}).get(b"pandas", b"{}"))
    return frozenset(name for name in schema.names if name in said or _NAMELESS.fullmatch(name))


def _said(metadata: bytes) -> list[str]:
    try:
        found = json.loads(metadata).get("index_columns", [])
    except (ValueError, AttributeError, RecursionError):
        return []
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []
