"""Status codes are gRPC's, and failures carry them."""

from __future__ import annotations

import grpc
import pytest

from serving.status import Code, Failure, InvalidArgument


def test_codes_have_the_numbers_and_names_of_grpc() -> None:
    assert {code.name: int(code) for code in Code} == {code.name: code.value[0] for code in grpc.StatusCode}


def test_a_failure_shows_its_code_and_message() -> None:
    failure = Failure(Code.NOT_FOUND, "no model")
    assert (failure.code, failure.message, str(failure)) == (Code.NOT_FOUND, "no model", "NOT_FOUND: no model")


def test_an_invalid_argument_is_a_failure() -> None:
    with pytest.raises(Failure, match=r"^INVALID_ARGUMENT: wrong$") as caught:
        raise InvalidArgument("wrong")
    assert caught.value.code is Code.INVALID_ARGUMENT
