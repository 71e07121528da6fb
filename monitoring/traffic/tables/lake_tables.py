"""Delta Lake and Apache Iceberg tables: the files of their current version, and what the table makes of each.

The Parquet files of such a folder are not the table: some are of deleted rows or of older versions, and partition
columns are only in the log. So the formats' own libraries, ``deltalake`` and ``pyiceberg``, which are installed
separately, list the files, and whoever reads a file needs neither.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.cells import is_text
from monitoring.traffic.remote.urls import is_url, shown_url
from monitoring.traffic.tables.parquet_files import NO_ROWS, FileView, TableFile, open_parquet

DELTA, ICEBERG = "Delta Lake", "Apache Iceberg"
_LIBRARY = {DELTA: "deltalake", ICEBERG: "pyiceberg"}
#: Where each format keeps its log.
LAKE_FOLDERS = ("_delta_log", "metadata")
_DELTA_LOG = "_delta_log/"
_METADATA = re.compile(r"metadata/v?(\d+)[^/]*\.metadata\.json$")
#: Features of Delta Lake that say nothing of how a file is read, or that are read here.
_DELTA_FEATURES = {
    "columnMapping",
    "deletionVectors",
    "timestampNtz",
    "typeWidening",
    "v2Checkpoint",
    "vacuumProtocolCheck",
    "variantType",
    "variantType-preview",
}

#: The version of Delta Lake's protocol that lets files name columns otherwise than the table, without a feature.
_MAPPED = 2


def lake_format(names: Iterable[str]) -> str | None:
    """The table format of a folder. Returns ``DELTA`` or ``ICEBERG``; None for plain files.

    >>> lake_format(["part-0.parquet", "_delta_log/00000000000000000000.json"])
    'Delta Lake'
    >>> lake_format(["data/a.parquet", "metadata/00000-1f.metadata.json"])
    'Apache Iceberg'
    """
    for name in names:
        if name.startswith(_DELTA_LOG):
            return DELTA
        if _METADATA.match(name):
            return ICEBERG
    return None


def refuse_parts_of_lake(place: str, folders: Iterable[Path]) -> None:
    """Check that no folder of files, nor one that it lies in, is a Delta Lake or Apache Iceberg table."""
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


def lake_files(
    format_name: str, place: str, names: Sequence[str], opened_at: Callable[[str], Path | str]
) -> list[TableFile]:
    """The files of the newest version of a table, and what it makes of each.

    They are read as they are, also when the table has a newer version. Rows that delete files or deletion vectors
    leave out are left out; columns that were added or renamed later, and partition columns, are there.
    """
    library = _library(format_name, place)
    try:
        if format_name == DELTA:
            files = [*_delta_files(library.DeltaTable(place), opened_at)]
        else:
            static = importlib.import_module("pyiceberg.table").StaticTable
            newest = _location(place, max(names, key=_metadata_number))
            files = [*_iceberg_files(static.from_metadata(newest), opened_at)]
    except (OSError, pa.ArrowException, *_errors(format_name)) as error:
        raise CannotRun(
            f"{'An' if format_name == ICEBERG else 'A'} {format_name} table cannot be read.",
            got=f"{shown_url(place)}: {(str(error) or type(error).__name__).splitlines()[0]}",
            expected=f"a table that {_LIBRARY[format_name]} reads",
            fix="Check it with that library, or rewrite the table's data files; or have Spark read it: `table` in the "
            "[engine] section.",
        ) from error
    base = f"{_local(place if is_url(place) else str(Path(place).absolute())).rstrip('/')}/"
    named = (TableFile(uri.removeprefix(base), path, view) for uri, path, view in files)
    return sorted(named, key=lambda file: file.name)


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


def _delta_files(table: Any, opened_at: Callable[[str], Path | str]) -> Iterator[tuple[str, Path | str, FileView]]:
    protocol = table.protocol()
    features = {*(protocol.reader_features or ())}
    if features - _DELTA_FEATURES:
        raise NotImplementedError(f"it has the features {', '.join(sorted(features - _DELTA_FEATURES))}")
    is_mapped = protocol.min_reader_version == _MAPPED or "columnMapping" in features
    schema = _with_plain_text(pa.schema(table.schema().to_arrow()))
    stored = {
        each.name: str(each.metadata.get("delta.columnMapping.physicalName", each.name)) if is_mapped else each.name
        for each in table.schema().fields
    }
    partitioned = table.metadata().partition_columns
    in_files = {name: physical for name, physical in stored.items() if name not in partitioned}
    actions = pa.table(table.get_add_actions().select(["path", *(["partition"] if partitioned else [])]))
    vectors: dict[str, NDArray[np.int64]] = {}
    if "deletionVectors" in features:
        for row in pa.table(table.deletion_vectors()).to_pylist():
            is_kept = np.asarray(row["selection_vector"], dtype=np.bool_)
            vectors[_local(unquote(row["filepath"]))] = np.flatnonzero(~is_kept)
    uris = table.file_uris()
    if not vectors.keys() <= {*uris}:
        raise NotImplementedError("it has deletion vectors of files that are not in its list of files")
    for uri, action in zip(uris, actions.to_pylist(), strict=True):
        values = action.get("partition") or {}
        view = FileView(
            schema=schema,
            stored=in_files,
            constants={name: values.get(stored[name], values.get(name)) for name in partitioned},
            deleted=vectors.get(uri, NO_ROWS),
        )
        yield uri, opened_at(uri), view


def _iceberg_files(table: Any, opened_at: Callable[[str], Path | str]) -> Iterator[tuple[str, Path | str, FileView]]:
    as_arrow = importlib.import_module("pyiceberg.io.pyarrow").schema_to_pyarrow
    schema = _with_plain_text(as_arrow(table.schema(), include_field_ids=False))
    deletions = _Deletions(opened_at)
    mapping = table.name_mapping()
    ids_of_names = {name: each.field_id for each in (mapping.root if mapping else ()) for name in each.names}
    for task in table.scan().plan_files():
        uri = _local(task.file.file_path)
        if task.file.file_format != "PARQUET":
            raise NotImplementedError(f"{uri} is a file of {task.file.file_format}")
        path = opened_at(uri)
        with open_parquet(path) as file:
            file_schema = file.schema_arrow
        in_file = {_field_id(each, ids_of_names): each.name for each in file_schema}
        parts = enumerate(table.specs()[task.file.spec_id].fields)
        identities = {p.source_id: task.file.partition[at] for at, p in parts if str(p.transform) == "identity"}
        absent = [each for each in table.schema().fields if each.field_id not in in_file]
        stored = {each.name: in_file[each.field_id] for each in table.schema().fields if each.field_id in in_file}
        nested = {name for name in stored if pa.types.is_nested(schema.field(name).type)}
        kinds = {name: file_schema.field(stored[name]).type for name in nested}
        view = FileView(
            schema=pa.schema([each.with_type(kinds.get(each.name, each.type)) for each in schema]),
            stored=stored,
            constants={each.name: identities.get(each.field_id, each.initial_default) for each in absent},
            deleted=deletions.of(uri, task.delete_files),
        )
        yield uri, path, view


def _with_plain_text(schema: pa.Schema) -> pa.Schema:
    """The columns as Parquet files give them: text as text however the library holds it."""
    return pa.schema([each.with_type(pa.string()) if is_text(each.type) else each for each in schema])


def _field_id(column: pa.Field, ids_of_names: Mapping[str, int]) -> int | None:
    """The id by which a table of Iceberg knows a column of a file; of files written without, what its names say."""
    written = (column.metadata or {}).get(b"PARQUET:field_id")
    return ids_of_names.get(column.name) if written is None else int(written)


class _Deletions:
    """Which rows of the data files delete files of Iceberg leave out; each delete file is read once."""

    def __init__(self, opened_at: Callable[[str], Path | str]) -> None:
        self._opened_at = opened_at
        self._read: dict[str, dict[str, NDArray[np.int64]]] = {}

    def of(self, uri: str, delete_files: Iterable[Any]) -> NDArray[np.int64]:
        parts = [NO_ROWS]
        for each in delete_files:
            if each.file_path not in self._read:
                self._read[each.file_path] = self._places(each)
            parts.append(self._read[each.file_path].get(uri, NO_ROWS))
        return np.unique(np.concatenate(parts))

    def _places(self, delete_file: Any) -> dict[str, NDArray[np.int64]]:
        if str(delete_file.content) != "DataFileContent.POSITION_DELETES" or delete_file.file_format != "PARQUET":
            raise NotImplementedError(
                f"it has deletes of another kind than positions in Parquet ({delete_file.file_path})"
            )
        with open_parquet(self._opened_at(_local(delete_file.file_path))) as file:
            rows = file.read(columns=["file_path", "pos"])
        groups = rows.group_by("file_path").aggregate([("pos", "list")]).to_pydict()
        return {_local(uri): np.array(at) for uri, at in zip(groups["file_path"], groups["pos_list"], strict=True)}


def _local(uri: str) -> str:
    """The path of a file of this machine; other URLs as they are."""
    return re.sub(r"^file:/+", "/", uri)


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
