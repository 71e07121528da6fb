"""TFRecord files: records with lengths and checksums, read and written one at a time, without TensorFlow.

A record is its length (8 bytes, little-endian), their masked CRC-32C, its bytes, and their masked CRC-32C.

Source: https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from monitoring.errors import BadInput

LARGEST_RECORD = 1 << 31  # protobuf's own limit
_HEAD = struct.Struct("<QI")
_FOOT = struct.Struct("<I")


def masked_crc(data: bytes) -> int:
    """The masked CRC-32C of TFRecord files.

    >>> hex(masked_crc(b""))
    '0xa282ead8'
    """
    import google_crc32c  # noqa: PLC0415 - the light distribution does without it, and without these files

    crc = int(google_crc32c.value(data))
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def write_record(file: BinaryIO, record: bytes) -> None:
    """Append a record."""
    length = struct.pack("<Q", len(record))
    file.write(b"".join([length, _FOOT.pack(masked_crc(length)), record, _FOOT.pack(masked_crc(record))]))


@dataclass(slots=True)
class RecordReader:
    """Iterates over the records of a file; `torn_bytes` counts what an interrupted writer left at its end.

    Iterating raises BadInput at a record with a wrong checksum, which no interrupted writer leaves.
    """

    file: BinaryIO
    name: str
    torn_bytes: int = 0

    def __iter__(self) -> Iterator[bytes]:
        while True:
            head = self.file.read(_HEAD.size)
            if len(head) < _HEAD.size:
                self.torn_bytes = len(head)
                return
            length, crc = _HEAD.unpack(head)
            if crc != masked_crc(head[:8]) or length > LARGEST_RECORD:
                raise self._damaged("the length of a record")
            rest = self.file.read(length + _FOOT.size)
            if len(rest) < length + _FOOT.size:
                self.torn_bytes = len(head) + len(rest)
                return
            record = rest[:length]
            if _FOOT.unpack_from(rest, length)[0] != masked_crc(record):
                raise self._damaged("a record")
            yield record

    def _damaged(self, what: str) -> BadInput:
        return BadInput(
            f"{self.name} is damaged, or not a TFRecord file.",
            got=f"{what} whose checksum is wrong, before byte {self.file.tell()}",
            expected="an uncompressed TFRecord file",
            fix="Copy the file again, or uncompress it.",
        )
