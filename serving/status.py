"""Errors of requests: gRPC's canonical status codes, and the exceptions that carry them."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """The canonical status codes; the number is gRPC's, the name is what TensorFlow Serving prints.

    Source: https://github.com/grpc/grpc/blob/master/doc/statuscodes.md
    """

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class Failure(Exception):
    """A request cannot be answered; every dialect has its own form for the error.

    >>> str(Failure(Code.INVALID_ARGUMENT, "Missing 'inputs' or 'instances' key"))
    "INVALID_ARGUMENT: Missing 'inputs' or 'instances' key"
    """

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code.name}: {self.message}"


NO_ROOM = "The server holds as many requests and answers as it can."


class NoRoom(Failure):
    """What is asked for would take more memory than is left for requests: RESOURCE_EXHAUSTED, over HTTP 503."""

    def __init__(self) -> None:
        super().__init__(Code.RESOURCE_EXHAUSTED, NO_ROOM)


class InvalidArgument(Failure):
    """The request itself is invalid: a `Failure` with the code INVALID_ARGUMENT.

    >>> InvalidArgument("Missing 'inputs' or 'instances' key").code.name
    'INVALID_ARGUMENT'
    """

    def __init__(self, message: str) -> None:
        super().__init__(Code.INVALID_ARGUMENT, message)
