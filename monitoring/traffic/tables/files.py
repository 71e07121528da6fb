"""The files of a table, and which pieces they have."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from monitoring.config.table_section import TableFormat
from monitoring.errors import BadInput
from monitoring.traffic.remote.file_store import FileStore
from monitoring.traffic.remote.local_cache import LOCAL_CACHE
from monitoring.traffic.remote.urls import is_url, shown_url
from monitoring.traffic.tables.converted_files import CONVERTED, converted
from monitoring.traffic.tables.folder_columns import folder_columns, folder_remark, with_folder_columns
from monitoring.traffic.tables.footers import FOOTERS
from monitoring.traffic.tables.lake_tables import LAKE_FOLDERS, lake_files, lake_format, refuse_parts_of_lake
from monitoring.traffic.tables.parquet_files import TableFile
from monitoring.traffic.tables.pieces import KINDS, ParquetPiece, TablePiece, TextPartPiece, TextPiece, unreadable_file
from monitoring.traffic.tables.table_format import AS_FILES_SHOW
from monitoring.traffic.tables.text_parts import TextPart, text_parts
from monitoring.traffic.tables.tfrecord_files import TFRECORD, as_parquet

PARQUET = (".parquet", ".pq")
TEXT = (".csv", ".csv.gz", ".tsv")
SUFFIXES = (*PARQUET, *TEXT, *CONVERTED, *TFRECORD)


def pieces_of(
    place: Path | str,
    form: TableFormat = AS_FILES_SHOW,
    *,
    may_be_to_come: bool = False,
    in_parts: bool = False,
    in_place: bool = False,
) -> tuple[TablePiece, ...]:
    """The pieces of a table's files, by name of the file: one file, all in a folder, or all that match a pattern.

    Hidden files and those of other kinds are skipped in folders and patterns; empty files have no rows. Files at a URL
    are copied to a local cache, and copied again only when they change. Of a Delta Lake or Apache Iceberg table, the
    pieces are those of its newest version, whatever is written to it later.

    Args:
        in_place: Whether files at a URL are opened there, by whoever reads a piece.
    """
    if is_url(str(place)):
        files = _files_at(str(place), required=not may_be_to_come, in_place=in_place)
    else:
        files = _files(Path(place), required=not may_be_to_come)
    return tuple(piece for file in files for piece in _pieces(file, form, in_parts=in_parts))


def is_table(place: Path | str) -> bool:
    """Whether a path or URL means a table's files: a pattern, a file, or a folder with such files and no log's."""
    if glob.has_magic(str(place)):
        return True
    if is_url(str(place)):
        if str(place).endswith(SUFFIXES):
            return True
        names = FileStore(str(place)).find()
    else:
        path = Path(place)
        if path.is_file():
            return True
        if not path.is_dir():
            return path.name.endswith(SUFFIXES)
        names = [each.name for each in path.iterdir()]
        names += [f"{top}/{each.name}" for top in names if "=" in top for each in (path / top).glob("*")]
        names += [f"{parent}/{each.name}" for parent in LAKE_FOLDERS for each in (path / parent).glob("*")]
    return _is_table_folder(names)


def _is_table_folder(names: Sequence[str]) -> bool:
    """Whether files of these paths below a folder are a table's, and none of a log's."""
    tops = {name.partition("/")[0] for name in names}
    below = {name.split("/")[1] for name in names if name.startswith("model=") and "/" in name}
    has_models = any(top.startswith("model=") for top in tops)
    if "open" in tops or (has_models and all(each.startswith("version=") for each in below)):
        return False
    return lake_format(names) is not None or any(top.endswith(SUFFIXES) or "=" in top for top in tops)


def require_table(path: Path) -> None:
    """Check that a path of this machine names a table. Raises BadInput if it does not."""
    _files(path)


def pattern_below(folder: Path) -> str | None:
    """A pattern of the tables in the folders below one, of the kind of the first; None if there are none."""
    for path in folder.rglob("*"):
        suffix = next((each for each in SUFFIXES if path.name.endswith(each)), None)
        hidden = any(part[0] in "._" for part in path.relative_to(folder).parts)
        if suffix is not None and not hidden and path.is_file():
            return f"{folder}/**/*{suffix}"
    return None


def _files(path: Path, *, required: bool = True) -> list[TableFile]:
    if path.is_file():
        if not path.name.endswith(SUFFIXES):
            raise BadInput("Not a table.", got=str(path), expected=KINDS, fix="Convert it, or rename it.")
        refuse_parts_of_lake(str(path), [path.absolute().parent])
        return [TableFile(path.name, path)]
    if path.is_dir():
        base, paths = path, list(path.rglob("*"))
        names = [each.relative_to(base).as_posix() for each in paths]
        lake = lake_format(names)
        if lake is not None:
            return lake_files(lake, str(path), names, Path)
    else:
        base = path
        while glob.has_magic(str(base)):
            base = base.parent
        pattern = str(path.relative_to(base))
        paths = [] if base == path else list(base.glob(f"{pattern}/*" if path.name == "**" else pattern))
    refuse_parts_of_lake(str(path), sorted({each.parent.absolute() for each in paths}))
    named = {each.relative_to(base).as_posix(): each for each in paths if each.is_file()}
    return [TableFile(name, named[name]) for name in _tables(named, str(path), required=required or not base.is_dir())]


def _files_at(url: str, *, required: bool = True, in_place: bool = False) -> list[TableFile]:
    """The files at a URL, copied or in their place."""
    base, _, name = url.rpartition("/")
    if url.endswith(SUFFIXES) and not glob.has_magic(url):
        store, names = FileStore(base), [name]
    elif glob.has_magic(url):
        while glob.has_magic(base):
            base = base.rpartition("/")[0]
        store = FileStore(base)
        names = store.matching(url.removeprefix(base + "/"))
    else:
        store = FileStore(url)
        names = store.find()
        lake = lake_format(names)
        if lake is not None:
            return lake_files(lake, url, names, lambda place: _opened_at(place, in_place=in_place))
    names = _tables(names, url, required=required)
    return [TableFile(name, _opened_at(f"{store.url}/{name}", in_place=in_place)) for name in names]


def _opened_at(place: str, *, in_place: bool) -> Path | str:
    """Where a file is opened: its copy, or where it lies. Raises BadInput if that cannot be."""
    if not is_url(place):
        return Path(place)
    if not in_place:
        base, _, key = place.rpartition("/")
        store, suffix = FileStore(base), next((each for each in SUFFIXES if key.endswith(each)), "")
        return LOCAL_CACHE.get(place, store.stamp(key), suffix, lambda target: store.get(key, target))
    if not place.endswith(PARQUET):
        raise BadInput(
            "Executors of a cluster open no such file where it lies.",
            got=shown_url(place),
            expected="Parquet files",
            fix="Convert it to Parquet, or put it in a folder that every executor sees.",
        )
    return place


def _tables(names: Iterable[str], place: str, *, required: bool) -> list[str]:
    """Those of the files that are tables, sorted. Raises BadInput if there are others alone, or none if required."""
    visible = [name for name in names if not any(part[0] in "._" for part in name.split("/"))]
    table_names = sorted(name for name in visible if name.endswith(SUFFIXES))
    table_names = [
        name for name in table_names if not name.endswith(CONVERTED)
    ] or table_names  # reports beside tables are none
    if not table_names and (required or visible):
        raise BadInput(
            "There is no such table.",
            got=f"{place}, which names no file of these kinds",
            expected=f"a file, a folder or a pattern of files, {KINDS}",
            fix="Check the path; quote a pattern, so that the shell leaves it alone.",
        )
    return table_names


def _pieces(file: TableFile, form: TableFormat, *, in_parts: bool) -> Iterator[TablePiece]:
    if isinstance(file.path, Path):
        if file.path.stat().st_size == 0 and not file.path.name.endswith(PARQUET):  # one of Parquet is cut off
            return iter(())
        if file.path.name.endswith(TEXT):
            return _text_pieces(file.name, file.path, form, in_parts=in_parts)
    return _parquet_pieces(file, form)


def _text_pieces(name: str, path: Path, form: TableFormat, *, in_parts: bool) -> Iterator[TablePiece]:
    folders = (*folder_columns(name).items(),)
    parts = _parts_of(path, form) if in_parts else ()
    for part in parts:
        yield TextPartPiece(name=name, first_row=part.first_row, path=path, part=part, folders=folders)
    if not parts:
        yield TextPiece(name=name, path=path, form=form, folders=folders)


def _parquet_pieces(file: TableFile, form: TableFormat) -> Iterator[TablePiece]:
    name, path = file.name, file.path
    remarks: tuple[str, ...] = ()
    try:
        if isinstance(path, Path) and path.name.endswith(TFRECORD):
            path = as_parquet(path)
        elif isinstance(path, Path) and path.name.endswith(CONVERTED):
            path, remarks = converted(path, form)
        footer = FOOTERS.of(path)
        remarks = remarks or ((footer.remark,) if footer.remark else ())
    except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
        raise unreadable_file(path, str(error)) from error
    folders = folder_columns(name)
    view = with_folder_columns(file.view, footer.schema, folders) if folders else file.view
    if view is not file.view:
        remarks = (*remarks, *folder_remark(folders))
    first = 0
    for group, rows in enumerate(footer.group_rows):
        yield ParquetPiece(name=name, path=path, group=group, first_row=first, remarks=remarks, view=view)
        first += rows


def _parts_of(path: Path, form: TableFormat) -> tuple[TextPart, ...]:
    try:
        return text_parts(path, form)
    except (OSError, EOFError, pa.ArrowException) as error:
        raise unreadable_file(path, str(error)) from error
