"""What a scorer and its child process say to each other: Arrow tables in frames with their length."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.rollout.scoring import CandidateAnswers
from monitoring.traffic.format.rows import OUTPUT
from monitoring.traffic.format.tensors import DTYPE_KEY, SHAPE_KEY, TensorEncoder, tensor_field

Array = np.ndarray[Any, Any]

#: Bytes of a frame's length, which comes first.
LENGTH = 8

#: The longest frame: far more than a batch of rows has.
LONGEST = 1 << 31

ALONE_KEY = b"alone"
REASONS_KEY = b"reasons"
ERROR_KEY = b"error"
READY_KEY = b"ready"

#: In the first frame: for each signature the empty answers of no row, which have types and sizes.
EMPTY_KEY = b"empty"


def framed(table: pa.Table, metadata: Mapping[bytes, bytes]) -> bytes:
    """A table as a frame."""
    sink = pa.BufferOutputStream()
    whole = table.replace_schema_metadata(dict(metadata))
    with pa.ipc.new_stream(sink, whole.schema) as writer:
        writer.write_table(whole)
    payload: bytes = sink.getvalue().to_pybytes()
    return len(payload).to_bytes(LENGTH, "little") + payload


def unframed(payload: bytes) -> tuple[pa.Table, Mapping[bytes, bytes]]:
    """The inverse of `framed`, without the length.

    Raises:
        pa.ArrowException: It is none.
    """
    with pa.ipc.open_stream(payload) as reader:
        table = reader.read_all()
    return table, table.schema.metadata or {}


def scored_table(scored: CandidateAnswers) -> tuple[pa.Table, Mapping[bytes, bytes]]:
    """Scored rows as a table; `scored_rows` reads it."""
    fields, columns = [pa.field("answered", pa.bool_())], [pa.array(scored.answered)]
    if scored.run_us is not None:
        fields.append(pa.field("run_us", pa.int64()))
        columns.append(pa.array(scored.run_us))
    for name, tensor in scored.outputs.items():
        encoder = TensorEncoder.of(tensor)
        fields.append(tensor_field(f"{OUTPUT}{name}", encoder.kind, tensor.shape[1:]))
        columns.append(encoder.encode(tensor))
    table = pa.Table.from_arrays(columns, schema=pa.schema(fields))
    return table, {REASONS_KEY: json.dumps(scored.reasons).encode()}


def scored_rows(table: pa.Table, metadata: Mapping[bytes, bytes]) -> CandidateAnswers:
    """Scored rows from the table of `scored_table`."""
    tensors = {name: _tensor(table, name) for name in table.column_names if name.startswith(OUTPUT)}
    return CandidateAnswers(
        outputs={name.removeprefix(OUTPUT): tensor for name, tensor in tensors.items()},
        answered=np.asarray(table["answered"], dtype=np.bool_),
        run_us=np.asarray(table["run_us"], dtype=np.int64) if "run_us" in table.column_names else None,
        reasons=tuple(json.loads(metadata.get(REASONS_KEY, b"[]"))),
    )


def _tensor(table: pa.Table, name: str) -> Array:
    field = table.schema.field(name)
    shape = tuple(json.loads(field.metadata[SHAPE_KEY]))
    flat = pc.list_flatten(table[name]).combine_chunks()
    text = field.metadata[DTYPE_KEY] == b"string"
    values = np.array(flat.to_pylist(), dtype=object) if text else np.asarray(flat)
    return values.reshape((table.num_rows, *shape))
