"""Delta Lake and Apache Iceberg tables whose rows are deleted by place, as Spark deletes them.

Neither ``deltalake`` nor ``pyiceberg`` writes such deletes: the log's entry, and the delete file, are written here.
"""

from __future__ import annotations

import base64
import json
import struct
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake
from pyiceberg.catalog.memory import InMemoryCatalog
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestWriterV2,
)
from pyiceberg.table import Table
from pyiceberg.typedef import Record
from pyroaring import BitMap

_DIGITS = "0123456789"
_LOWER, _UPPER = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_AS_Z85 = str.maketrans(
    f"{_DIGITS}{_UPPER}{_LOWER}!#$%&()*+-;<=>?@^_`{{|}}~", f"{_DIGITS}{_LOWER}{_UPPER}.-:+=^!/*?&<>()[]{{}}@%$#"
)


def delta_with_deletes(rows: pa.Table, folder: Path, deleted: Sequence[int], **how: Any) -> None:
    """Write a Delta Lake table of one file, and delete some of its rows by a deletion vector.

    Args:
        **how: As of ``write_deltalake``.
    """
    write_deltalake(folder, rows, configuration={"delta.enableDeletionVectors": "true"}, **how)
    first, *_ = sorted((folder / "_delta_log").glob("*.json"))
    (add,) = (entry["add"] for entry in map(json.loads, first.read_text().splitlines()) if "add" in entry)
    bitmap = struct.pack("<iqi", 1_681_511_377, 1, 0) + BitMap(deleted).serialize()
    bitmap += b"\0" * (-len(bitmap) % 4)
    vector = {
        "storageType": "i",
        "pathOrInlineDv": base64.b85encode(bitmap).decode().translate(_AS_Z85),
        "sizeInBytes": len(bitmap),
        "cardinality": len(deleted),
    }
    remove = {"path": add["path"], "dataChange": True, "deletionTimestamp": 1}
    entries = [{"remove": remove}, {"add": add | {"deletionVector": vector}}]
    version = DeltaTable(folder).version() + 1
    (folder / f"_delta_log/{version:020}.json").write_text("".join(f"{json.dumps(each)}\n" for each in entries))


class _DeleteManifestWriter(ManifestWriterV2):
    def content(self) -> ManifestContent:
        return ManifestContent.DELETES


def iceberg_table(rows: pa.Table, folder: Path) -> Table:
    """Write an Apache Iceberg table."""
    catalog = InMemoryCatalog("test", warehouse=folder.parent.as_uri())
    catalog.create_namespace("n")
    table = catalog.create_table("n.t", schema=rows.schema, location=folder.as_uri())
    table.append(rows)
    return table


def iceberg_delete(table: Table, deleted: Sequence[int], content: DataFileContent | None = None) -> None:
    """Delete rows of the first file of an Apache Iceberg table by a delete file.

    Args:
        content: What the delete file says it holds; None: places.
    """
    data = min(task.file.file_path for task in table.scan().plan_files())
    location = f"{table.location()}/data/deletes-{uuid.uuid4()}.parquet"
    path = Path(location.removeprefix("file://"))
    pq.write_table(pa.table({"file_path": [data] * len(deleted), "pos": pa.array(deleted, pa.int64())}), path)
    file = DataFile.from_args(
        content=DataFileContent.POSITION_DELETES if content is None else content,
        file_path=location,
        file_format="PARQUET",
        partition=Record(),
        record_count=len(deleted),
        file_size_in_bytes=path.stat().st_size,
        equality_ids=None if content is None else [1],
    )
    file.spec_id = 0
    with table.transaction() as transaction:
        snapshot: Any = transaction.update_snapshot().fast_append()
        output = table.io.new_output(f"{table.location()}/metadata/{uuid.uuid4()}.avro")
        with _DeleteManifestWriter(table.spec(), table.schema(), output, snapshot.snapshot_id, "null") as writer:
            entry = ManifestEntry.from_args(
                status=ManifestEntryStatus.ADDED, snapshot_id=snapshot.snapshot_id, data_file=file
            )
            writer.add(entry)
        manifest, before = writer.to_manifest_file(), snapshot._existing_manifests
        snapshot._existing_manifests = lambda: [*before(), manifest]
        snapshot.commit()
