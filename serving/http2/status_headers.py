"""The headers with which answers begin and end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serving.http2.messages import ACCEPTED
from serving.status import Code

if TYPE_CHECKING:
    from serving.http2.header_blocks import Header
    from serving.status import Failure

FIRST_HEADERS: tuple[Header, ...] = ((b":status", b"200"), (b"content-type", b"application/grpc"))
NOT_GRPC: tuple[Header, ...] = ((b":status", b"415"),)
STATUS_OK: tuple[Header, ...] = ((b"grpc-status", b"0"),)
ACCEPTED_ENCODINGS: tuple[Header, ...] = ((b"grpc-accept-encoding", ACCEPTED),)


def status_headers(failure: Failure) -> tuple[Header, ...]:
    """Write an error's status: its message as gRPC has it, printable ASCII with other bytes as ``%XX``.

    A header's value must not end with a space (RFC 9113, 8.2.1), which is written as ``%20`` there.

    >>> from serving.status import InvalidArgument
    >>> status_headers(InvalidArgument("50 % off: "))
    ((b'grpc-status', b'3'), (b'grpc-message', b'50%20%25%20off:%20'))
    """
    if failure.code is Code.OK:
        return STATUS_OK
    text = "".join([_written(byte) for byte in failure.message.encode("utf-8", "replace")])
    if text != text.strip():
        text = text.replace(" ", "%20")
    return (b"grpc-status", str(int(failure.code)).encode()), (b"grpc-message", text.encode())


def _written(byte: int) -> str:
    return chr(byte) if 32 <= byte < 127 and byte != ord("%") else f"%{byte:02X}"
