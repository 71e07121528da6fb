"""What the headers of a call say: its method, deadline and metadata."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar, final

from h2.exceptions import ProtocolError
from h2.utilities import HeaderValidationFlags, validate_headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from serving.http2.header_blocks import Header

#: What handles a call.
MethodT = TypeVar("MethodT")

#: Headers that are the protocol's, not the caller's.
PROTOCOL_HEADERS = frozenset({b"te", b"content-type", b"grpc-encoding", b"grpc-accept-encoding"})
#: Headers that differ from call to call, so that they are not kept with the others.
OWN_HEADERS = frozenset({b"grpc-timeout", b"x-request-id", b"x-event-time", b"traceparent", b"tracestate"})
#: A value that RFC 9113, 8.2.1, allows.
VALUE = re.compile(rb"(?:[^\0\r\n \t](?:[^\0\r\n]*[^\0\r\n \t])?)?")
#: Heads that are kept, and the most bytes of one.
KEPT_HEADS, KEPT_BYTES = 1024, 1024
UNITS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
TIMEOUT_DIGITS = 8

_REQUEST = HeaderValidationFlags(is_client=False, is_trailer=False, is_response_header=False, is_push_promise=False)
_TRAILERS = _REQUEST._replace(is_trailer=True)


class CallHead(NamedTuple, Generic[MethodT]):
    """The headers of a call, read.

    (A named tuple for its cost: a call with headers of its own has one of its own.)
    """

    path: str = ""
    """``/SERVICE/METHOD``."""
    metadata: tuple[Header, ...] = ()
    """What the caller adds; values of names that end in ``-bin`` are in base64."""
    timeout_s: float | None = None
    encoding: str = "identity"
    """How compressed messages of the call are compressed."""
    fault: str = ""
    """Why this is no call of gRPC's."""
    method: MethodT | None = None
    """What handles it; None if there is no such method."""


@final
class HeadReader(Generic[MethodT]):
    """Reads the headers of calls. Those that clients repeat are checked and read once.

    >>> headers = ((b":method", b"POST"), (b":scheme", b"http"), (b":authority", b"x"), (b":path", b"/a.B/C"))
    >>> HeadReader({}).read((*headers, (b"content-type", b"application/grpc"), (b"x-request-id", b"7"))).metadata
    ((b'x-request-id', b'7'),)
    """

    def __init__(self, methods: Mapping[str, MethodT]) -> None:
        self._methods = methods
        self._heads: dict[tuple[Header, ...], CallHead[MethodT]] = {}

    def read(self, headers: tuple[Header, ...]) -> CallHead[MethodT] | None:
        """Read the headers of a call. Returns what they say; None if they break HTTP/2's rules."""
        head = self._heads.get(headers)
        if head is not None:
            return head
        call_headers = [header for header in headers if header[0] in OWN_HEADERS]
        if not call_headers:
            return self._read_repeated(headers)
        head = self._read_repeated(tuple([header for header in headers if header[0] not in OWN_HEADERS]))
        if head is None or not all([VALUE.fullmatch(value) for _, value in call_headers]):
            return None
        return _with_own(head, call_headers)

    def _read_repeated(self, headers: tuple[Header, ...]) -> CallHead[MethodT] | None:
        head = self._heads.get(headers)
        if head is None:
            if is_malformed(headers):
                return None
            head = self._read_all(headers)
            if len(self._heads) >= KEPT_HEADS:
                self._heads.clear()
            if sum(len(name) + len(value) for name, value in headers) <= KEPT_BYTES:
                self._heads[headers] = head
        return head

    def _read_all(self, headers: tuple[Header, ...]) -> CallHead[MethodT]:
        values = dict(headers)
        if values[b":method"] != b"POST" or not values.get(b"content-type", b"").startswith(b"application/grpc"):
            return CallHead(fault="Only calls of gRPC are answered here: POST with content-type application/grpc.")
        path = values[b":path"].decode("latin-1")
        metadata = tuple([header for header in headers if header[0][:1] != b":" and header[0] not in PROTOCOL_HEADERS])
        encoding = values.get(b"grpc-encoding", b"identity").decode("latin-1")
        return CallHead(path=path, metadata=metadata, encoding=encoding, method=self._methods.get(path))


def is_malformed(headers: Iterable[Header], *, are_trailers: bool = False) -> bool:
    """Whether headers break the rules of HTTP/2 for those of a request, or for trailers (RFC 9113, 8.2 and 8.3)."""
    try:
        for _ in validate_headers(headers, _TRAILERS if are_trailers else _REQUEST):
            pass
    except ProtocolError:
        return True
    return False


def _with_own(head: CallHead[MethodT], headers: Iterable[Header]) -> CallHead[MethodT]:
    timeout_s = None
    metadata = list(head.metadata)
    for name, value in headers:
        if name != b"grpc-timeout":
            metadata.append((name, value))
            continue
        try:
            timeout_s = read_timeout(value.decode("latin-1"))
        except ValueError as error:
            return CallHead(fault=str(error))
    return head._replace(metadata=tuple(metadata), timeout_s=timeout_s)


def read_timeout(text: str) -> float:
    """Read a time as gRPC writes it: up to eight digits and a unit. Returns seconds.

    >>> read_timeout("250m"), read_timeout("10S")
    (0.25, 10.0)

    Raises:
        ValueError: The text is no such time.
    """
    digits, unit = text[:-1], text[-1:]
    if not (digits.isascii() and digits.isdigit() and len(digits) <= TIMEOUT_DIGITS and unit in UNITS):
        raise ValueError("grpc-timeout is no number of up to eight digits with a unit.")
    return int(digits) * UNITS[unit]
