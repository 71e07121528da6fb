"""TFRecord files: what was written is read, by TensorFlow too; a cut is counted, a change is named."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from monitoring.traffic.tf_prediction_log.tfrecord import RecordReader, masked_crc, write_record

RECORDS = st.lists(st.binary(max_size=40), max_size=5)


def written(records: list[bytes]) -> bytes:
    file = io.BytesIO()
    for record in records:
        write_record(file, record)
    return file.getvalue()


@given(RECORDS)
def test_records_come_back_in_their_order(records: list[bytes]) -> None:
    reader = RecordReader(io.BytesIO(written(records)), "a")
    assert list(reader) == records
    assert reader.torn_bytes == 0


@given(st.lists(st.binary(max_size=10), min_size=1, max_size=3), st.data())
def test_cut_at_any_byte_the_whole_records_are_read_and_the_rest_is_counted(
    records: list[bytes], data: st.DataObject
) -> None:
    whole = written(records)
    length = data.draw(st.integers(0, len(whole)))
    reader = RecordReader(io.BytesIO(whole[:length]), "a")
    ends = [len(written(records[:count])) for count in range(len(records) + 1)]
    kept = sum(end <= length for end in ends) - 1
    assert list(reader) == records[:kept]
    assert reader.torn_bytes == length - ends[kept]


@given(st.lists(st.binary(max_size=10), min_size=1, max_size=3), st.data())
def test_a_changed_byte_is_never_read_as_a_record(records: list[bytes], data: st.DataObject) -> None:
    damaged = bytearray(written(records))
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BadInput, match="log is damaged, or not a TFRecord file"):
        list(RecordReader(io.BytesIO(bytes(damaged)), "log"))


def test_tensorflow_reads_and_writes_the_same_bytes(tmp_path: Path) -> None:
    records = [b"", b"one", bytes(range(256))]
    with tf.io.TFRecordWriter(str(tmp_path / "theirs")) as writer:
        for record in records:
            writer.write(record)
    assert (tmp_path / "theirs").read_bytes() == written(records)
    (tmp_path / "ours").write_bytes(written(records))
    assert [record.numpy() for record in tf.data.TFRecordDataset(str(tmp_path / "ours"))] == records


def test_the_checksum_is_the_masked_crc_32c() -> None:
    crc = 0xE3069283  # of "123456789", the check value of CRC-32C
    assert masked_crc(b"123456789") == ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32
