"""The end of an answer says its status in printable ASCII."""

from __future__ import annotations

from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from serving.http2.call_head import is_malformed
from serving.http2.status_headers import STATUS_OK, status_headers
from serving.status import Code, Failure


def test_ok_has_no_message() -> None:
    assert status_headers(Failure(Code.OK, "unused")) == STATUS_OK


@given(st.text())
def test_every_message_can_be_sent_and_read_back(text: str) -> None:
    status, message = status_headers(Failure(Code.INVALID_ARGUMENT, text))
    assert status == (b"grpc-status", b"3")
    assert unquote(message[1].decode("ascii")) == text.encode("utf-8", "replace").decode()
    assert not is_malformed((status, message), are_trailers=True)
