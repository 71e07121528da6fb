"""Callers are read from headers: ids and event times, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.inference.callers import read_caller
from serving.status import Code, Failure

VISIBLE = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
ARRIVED_US = 1_700_000_000_000_000


def unused() -> str:
    raise AssertionError("the request has an id")


def test_without_headers_the_id_is_new_and_the_event_time_is_the_arrival() -> None:
    caller = read_caller([(b"host", b"a")], new_id=lambda: "new", arrived_us=ARRIVED_US)
    assert caller == ("new", ARRIVED_US, ARRIVED_US)


@given(st.text(VISIBLE, min_size=1, max_size=128))
def test_any_visible_id_is_kept(request_id: str) -> None:
    caller = read_caller([(b"x-request-id", request_id.encode())], new_id=unused, arrived_us=1)
    assert caller.request_id == request_id


@pytest.mark.parametrize("request_id", [b"", b"two words", b"x" * 129, b"tab\t", b"\xc3\xa9", b"\x7f", b"line\n"])
def test_other_ids_are_refused(request_id: bytes) -> None:
    with pytest.raises(Failure, match="X-Request-Id must be 1 to 128 visible ASCII characters") as caught:
        read_caller([(b"x-request-id", request_id)], new_id=unused, arrived_us=1)
    assert caught.value.code is Code.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("text", "event_time_us"),
    [
        (b"0", 0),
        (b" 1364793300.25 ", 1_364_793_300_250_000),
        (b"2013-04-01T05:15:00Z", 1_364_793_300_000_000),
        (b"2013-04-01T07:15:00+02:00", 1_364_793_300_000_000),
    ],
)
def test_the_event_time_is_that_of_the_header(text: bytes, event_time_us: int) -> None:
    caller = read_caller([(b"x-event-time", text)], new_id=lambda: "new", arrived_us=ARRIVED_US)
    assert caller == ("new", event_time_us, ARRIVED_US)


@pytest.mark.parametrize("text", [b"", b"yesterday", b"2013-04-01T05:15:00", b"1364793300000", b"\xff"])
def test_other_event_times_are_refused(text: bytes) -> None:
    with pytest.raises(Failure, match="X-Event-Time must be ISO 8601 with an offset"):
        read_caller([(b"x-event-time", text)], new_id=lambda: "new", arrived_us=1)


def test_of_repeated_headers_the_last_counts() -> None:
    headers = [
        (b"x-request-id", b"first"),
        (b"x-event-time", b"1"),
        (b"x-request-id", b"last"),
        (b"x-event-time", b"2"),
    ]
    assert read_caller(headers, new_id=unused, arrived_us=0)[:2] == ("last", 2_000_000)
