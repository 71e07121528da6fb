"""Delta Lake and Apache Iceberg tables: the rows of their current version, as one Parquet file.

The Parquet files of such a folder are not the table: some are of deleted rows or of older versions, and partition
columns are only in the log. So they are read by the formats' own libraries, ``deltalake`` and ``pyiceberg``, which are
installed separately.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.remote.local_cache import LOCAL_CACHE
from monitoring.traffic.remote.urls import is_url, shown_url

if TYPE_CHECKING:
    from types import ModuleType

DELTA, ICEBERG = "Delta Lake", "Apache Iceberg"
_LIBRARY = {DELTA: "deltalake", ICEBERG: "pyiceberg"}
#: Where each format keeps its log.
LAKE_FOLDERS = ("_delta_log", "metadata")
_DELTA_LOG = "_delta_log/"
_METADATA = re.compile(r"metadata/v?(\d+)[^/]*\.metadata\.json$")
_BATCH_ROWS = 65_536


def lake_format(names: Iterable[str]) -> str | None:
    """The table format of a folder.

    >>> lake_format(["part-0.parquet", "_delta_log/00000000000000000000.json"])
    'Delta Lake'
    >>> lake_format(["data/a.parquet", "metadata/00000-1f.metadata.json"])
    'Apache Iceberg'

    Returns:
        ``DELTA`` or ``ICEBERG``; None for plain files.
    """
    for name in names:
        if name.startswith(_DELTA_LOG):
            return DELTA
        if _METADATA.match(name):
            return ICEBERG
    return None


def refuse_parts_of_lake(place: str, folders: Iterable[Path]) -> None:
    """Check that no folder of files, nor one that it lies in, is a Delta Lake or Apache Iceberg table.

    Raises:
        BadInput: One is: its files are not the table's rows.
    """
    for folder in dict.fromkeys(parent for each in folders for parent in (each, *each.parents)):
        names = [f"{log}/{each.name}" for log in LAKE_FOLDERS for each in _files_in(folder / log)]
        format_name = lake_format(names)
        if format_name is not None:
            raise BadInput(
                f"Files of a {format_name} table are named one by one.",
                got=f"{place}, and {folder} is a {format_name} table",
                expected="the table's folder: some of its files hold rows that were deleted, or older versions of them",
                fix=f'Name the table: "{folder}".',
            )


def _files_in(folder: Path) -> Iterator[Path]:
    """The files of a folder; none where there is no such folder, or it cannot be listed."""
    try:
        yield from folder.iterdir()
    except OSError:
        return


def as_parquet_file(format_name: str, place: str, names: Sequence[str]) -> Path:
    """The current version of a table as a Parquet file in the local cache, made again when there is a newer version.

    Cost: the table is read and written once for each of its versions, batch by batch.

    Args:
        format_name: The table's format, as `lake_format` gives it.
        place: Its folder or URL. Credentials of a URL are those that the format's library finds.

    Raises:
        BadInput: the format's library is not installed.
        CannotRun: the table cannot be read.
    """
    library = _library(format_name, place)
    try:
        if format_name == DELTA:
            table: Any = library.DeltaTable(place)
            version = str(table.version())
        else:
            newest = max(names, key=_metadata_number)
            table = importlib.import_module("pyiceberg.table").StaticTable.from_metadata(_location(place, newest))
            version = newest
        return LOCAL_CACHE.get(place, version, ".parquet", lambda target: _write(format_name, table, target))
    except (OSError, pa.ArrowException, *_errors(format_name)) as error:
        raise CannotRun(
            f"A {format_name} table cannot be read.",
            got=f"{shown_url(place)}: {(str(error) or type(error).__name__).splitlines()[0]}",
            expected=f"a table that {_LIBRARY[format_name]} reads",
            fix="Check it with that library; or write the rows to a Parquet file, and name that.",
        ) from error


def _metadata_number(name: str) -> int:
    """The number of an Iceberg metadata file; -1 for other files."""
    match = _METADATA.match(name)
    return -1 if match is None else int(match[1])


def _location(place: str, name: str) -> str:
    return f"{place.rstrip('/')}/{name}" if is_url(place) else f"{Path(place).absolute().as_uri()}/{name}"


def _errors(format_name: str) -> tuple[type[Exception], ...]:
    """What the format's library raises."""
    if format_name == DELTA:
        return (importlib.import_module("deltalake.exceptions").DeltaError,)
    return (importlib.import_module("pyiceberg.exceptions").ValidationError, ValueError, NotImplementedError)


def _write(format_name: str, table: Any, target: Path) -> None:
    schema, batches = _batches(format_name, table)
    # Without Arrow's own schema in the file, text is read back as text however the library holds it.
    with pq.ParquetWriter(target, schema, store_schema=False) as writer:
        waiting: list[pa.RecordBatch] = []
        for batch in batches:  # of small files, many are in one row group
            waiting.append(batch)
            if sum(batch.num_rows for batch in waiting) >= _BATCH_ROWS:
                writer.write_table(pa.Table.from_batches(waiting))
                waiting = []
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting))


def _batches(format_name: str, table: Any) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    if format_name == DELTA:
        dataset = table.to_pyarrow_dataset()
        return dataset.schema, iter(dataset.scanner(batch_size=_BATCH_ROWS).to_batches())
    reader = table.scan().to_arrow_batch_reader()
    return reader.schema, iter(reader)


def _library(format_name: str, place: str) -> ModuleType:
    name = _LIBRARY[format_name]
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise BadInput(
            f"A {format_name} table is read by the library {name}, which is not installed.",
            got=f"{shown_url(place)}, whose Parquet files include rows that were deleted",
            expected=name,
            fix=f"pip install {name}; or write the rows to a Parquet file, and name that.",
        ) from error
