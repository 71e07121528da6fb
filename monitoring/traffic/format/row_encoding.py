"""Answered rows as record batches of a segment: encoded without Arrow where that is possible, by Arrow otherwise."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

from monitoring.traffic.format.ipc_messages import VARIES, BatchBody, BatchShape, even_offsets, offset_bytes, padding
from monitoring.traffic.format.rows import (
    INPUT,
    OUTPUT,
    QUARANTINE_KEY,
    RATE_KEY,
    ROW_FIELDS,
    TIMESTAMP,
    AnsweredRows,
    ModelKey,
)
from monitoring.traffic.format.segments import FORMAT, FORMAT_KEY
from monitoring.traffic.format.tensors import Shape, TensorEncoder, tensor_field, tensor_type

_STRING = pa.string()
_INT32 = pa.int32()
_INT64 = pa.int64()

#: What the rows of one segment have in common: model, version, signature, each tensor's prefixed name, dtype and rank,
#: in any order, the share of the requests that are logged, and whether the rows are in quarantine.
SegmentKey = tuple[str, int, str, frozenset[tuple[str, str, int]], float, bool]


@dataclass(frozen=True, slots=True, eq=False)
class RowLayout:
    """How batches of one combination of names, dtypes and shapes are encoded; computed once for each.

    A batch that has a layout is consistent: its parts are of equal length.
    """

    key: SegmentKey
    inputs: tuple[str, ...]  # names, in the order of the columns
    outputs: tuple[str, ...]
    encoders: tuple[TensorEncoder, ...]  # of the inputs, then of the outputs
    shapes: tuple[Shape, ...]  # their inner shapes
    batch_shape: BatchShape

    @classmethod
    def of(cls, rows: AnsweredRows, key: SegmentKey, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> RowLayout:
        """The layout of batches like this one."""
        ordered = [*(rows.inputs[name] for name in inputs), *(rows.outputs[name] for name in outputs)]
        encoders = tuple(TensorEncoder.of(tensor) for tensor in ordered)
        return cls(
            key=key,
            inputs=inputs,
            outputs=outputs,
            encoders=encoders,
            shapes=tuple(tensor.shape[1:] for tensor in ordered),
            batch_shape=_batch_shape(rows.count, encoders),
        )

    def schema(self, shapes: tuple[Shape, ...]) -> pa.Schema:
        """The schema of a segment for batches of this layout, whose inner shapes are at least as general: `shapes`."""
        model, version, signature, _, rate, quarantined = self.key
        names = [*(INPUT + name for name in self.inputs), *(OUTPUT + name for name in self.outputs)]
        fields = [
            tensor_field(name, encoder.kind, shape)
            for name, encoder, shape in zip(names, self.encoders, shapes, strict=True)
        ]
        metadata = {FORMAT_KEY: FORMAT, **ModelKey(model, version, signature).metadata}
        if rate != 1.0:
            metadata[RATE_KEY] = repr(rate).encode()
        if quarantined:
            metadata[QUARANTINE_KEY] = b"1"
        return pa.schema([*ROW_FIELDS, *fields], metadata=metadata)

    def body(self, rows: AnsweredRows) -> BatchBody | None:
        """The rows as the buffers of a record batch; None if Arrow must convert some of them."""
        ids = rows.request_ids
        count = len(ids)
        text = "".join(ids)
        if not text.isascii():
            return None
        body = BatchBody()
        body.add_strings(offset_bytes(list(map(len, ids))), text.encode())
        body.parts += (
            _integers(rows.rows, "i"),
            padding(4 * count),
            _integers(rows.event_times_us, "q"),
            rows.answered_at_us.to_bytes(8, "little", signed=True) * count,
            _integers(rows.latencies_us, "q"),
        )
        for texts in rows.texts:
            first = texts[0] if texts else ""
            if not texts or texts.count(first) == count:
                size, parts = _equal_texts(first, count)
                body.sizes.append(size)
                body.parts += parts
            else:
                text = "".join(texts)
                body.add_strings(offset_bytes(list(map(len, texts))), text.encode())
                first = text
            if not first.isascii():
                return None
        for encoder, tensor in zip(self.encoders, self._tensors(rows), strict=True):
            if not encoder.add_to(body, tensor):
                return None
        return body

    def columns(self, rows: AnsweredRows) -> list[pa.Array]:
        """The same rows as Arrow's own arrays."""
        count = rows.count
        integers = pa.Array.from_buffers
        columns = [
            pa.array(rows.request_ids, _STRING),
            integers(_INT32, count, [None, pa.py_buffer(np.ascontiguousarray(rows.rows, np.int32))], 0),
            integers(TIMESTAMP, count, [None, pa.py_buffer(np.ascontiguousarray(rows.event_times_us, np.int64))], 0),
            integers(TIMESTAMP, count, [None, pa.py_buffer(np.full(count, rows.answered_at_us, np.int64))], 0),
            integers(_INT64, count, [None, pa.py_buffer(np.ascontiguousarray(rows.latencies_us, np.int64))], 0),
            *(pa.array(texts or [""] * count, _STRING) for texts in rows.texts),
        ]
        return columns + [
            encoder.encode(tensor) for encoder, tensor in zip(self.encoders, self._tensors(rows), strict=True)
        ]

    def _tensors(self, rows: AnsweredRows) -> list[np.ndarray]:
        return [rows.inputs[name] for name in self.inputs] + [rows.outputs[name] for name in self.outputs]


def segment_key(rows: AnsweredRows) -> SegmentKey:
    """Which segment a batch belongs to. Returns equal keys for batches that can be appended to one segment."""
    named = {INPUT + name: tensor for name, tensor in rows.inputs.items()}
    named.update((OUTPUT + name, tensor) for name, tensor in rows.outputs.items())
    tensors = frozenset((name, tensor_type(tensor.dtype).name, tensor.ndim) for name, tensor in named.items())
    return rows.model, rows.version, rows.signature, tensors, rows.sampling_rate, rows.quarantined


@lru_cache(maxsize=256)
def _equal_texts(text: str, count: int) -> tuple[int, tuple[bytes, ...]]:
    """The size and the buffers of a column in which each row has the same text, in ASCII."""
    content = text.encode() * count
    offsets = even_offsets(count, len(text))
    return len(content), (offsets, padding(len(offsets)), content, padding(len(content)))


def _integers(values: Sequence[int] | np.ndarray, code: str) -> np.ndarray | array[int]:
    """Integers of 4 ("i") or 8 ("q") bytes as they are in memory."""
    return np.ascontiguousarray(values, code) if isinstance(values, np.ndarray) else array(code, values)


def _batch_shape(count: int, encoders: Sequence[TensorEncoder]) -> BatchShape:
    """What all batches of so many rows of these tensors have in common."""
    text = (0, 4 * (count + 1), VARIES)
    row_lengths = (*text, 0, 4 * count, 0, 8 * count, 0, 8 * count, 0, 8 * count, *text, *text, *text)
    return BatchShape(
        rows=count,
        nodes=(*(count for _ in ROW_FIELDS), *(size for encoder in encoders for size in encoder.nodes)),
        lengths=(*row_lengths, *(size for encoder in encoders for size in encoder.lengths)),
    )
