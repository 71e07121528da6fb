"""Callers are read from headers: ids and event times, and what is refused."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.traffic.format.rows import OWN_IDS
from serving.access.identity import NOBODY, Identity
from serving.capture.capture import Caller
from serving.inference.callers import AnswerIds, CallerReader, RequestIds, id_headers
from serving.inference.timestamps import EventTimeRange
from serving.status import Code, Failure

VISIBLE = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
ARRIVED_US = 1_700_000_000_000_000


READER = CallerReader()


def test_without_headers_the_id_is_new_and_the_event_time_is_the_arrival() -> None:
    ids = RequestIds(clock_ns=lambda: 1, random=bytes)
    caller = CallerReader(ids).read([(b"host", b"a")], arrived_us=ARRIVED_US)
    assert caller == Caller(RequestIds(clock_ns=lambda: 1, random=bytes).new(), ARRIVED_US, ARRIVED_US)
    assert READER.read([], arrived_us=1, id_of_body="own").request_id == "own"


@given(st.text(VISIBLE, min_size=1, max_size=128))
def test_any_visible_id_is_kept(request_id: str) -> None:
    caller = READER.read([(b"x-request-id", request_id.encode())], arrived_us=1)
    assert caller.request_id == request_id


@pytest.mark.parametrize("request_id", [b"", b"two words", b"x" * 129, b"tab\t", b"\xc3\xa9", b"\x7f", b"line\n"])
def test_other_ids_are_refused(request_id: bytes) -> None:
    with pytest.raises(Failure, match="X-Request-Id must be 1 to 128 visible ASCII characters") as caught:
        READER.read([(b"x-request-id", request_id)], arrived_us=1)
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
    caller = READER.read([(b"x-event-time", text)], arrived_us=ARRIVED_US)
    assert caller[1:3] == (event_time_us, ARRIVED_US)


@pytest.mark.parametrize("text", [b"", b"yesterday", b"2013-04-01T05:15:00", b"1364793300000", b"\xff"])
def test_other_event_times_are_refused(text: bytes) -> None:
    with pytest.raises(Failure, match="X-Event-Time must be ISO 8601 with an offset"):
        READER.read([(b"x-event-time", text)], arrived_us=1)


def test_of_repeated_headers_the_last_counts() -> None:
    headers = [
        (b"x-request-id", b"first"),
        (b"x-event-time", b"1"),
        (b"x-request-id", b"last"),
        (b"x-event-time", b"2"),
    ]
    assert READER.read(headers, arrived_us=0)[:2] == ("last", 2_000_000)


@pytest.mark.parametrize(("before_s", "is_taken"), [(0, True), (100, True), (101, False), (-10, True), (-11, False)])
def test_event_times_lie_in_a_range(before_s: int, is_taken: bool) -> None:
    reader = CallerReader(event_times=EventTimeRange(before_us=100_000_000, after_us=10_000_000))
    caller = reader.read([(b"x-event-time", b"%d" % (1_700_000_000 - before_s))], arrived_us=ARRIVED_US)
    assert (caller.event_time_us, caller.is_in_range) == (ARRIVED_US - 1_000_000 * before_s, is_taken)


def test_a_request_with_an_id_of_its_own_has_one_of_the_servers_too() -> None:
    first, second = (READER.read([(b"x-request-id", b"order-1")], arrived_us=1) for _ in range(2))
    assert first.request_id == second.request_id == "order-1"
    assert first.answer_id.startswith(OWN_IDS)
    assert first.answer_id != second.answer_id
    assert READER.read([], arrived_us=1, id_of_body="order-1").answer_id.startswith(OWN_IDS)
    assert READER.read([], arrived_us=1).answer_id == "", "its id is the server's"
    assert id_headers(second)[1] == (b"x-answer-id", second.answer_id.encode())
    assert first.part("regress")[:1] + first.part("regress")[4:5] == ("order-1/regress", f"{first.answer_id}/regress")
    for headers, id_of_body in (([(b"x-request-id", b"pitfalls-1")], ""), ([], "pitfalls-1")):
        with pytest.raises(Failure, match="must not begin with pitfalls-"):
            READER.read(headers, arrived_us=1, id_of_body=id_of_body)


def test_a_token_tells_more_of_who_asks_than_a_connection() -> None:
    reader = CallerReader(principal_of=lambda token: "shop" if token == b"Bearer right" else "")
    connection = Identity("certificate", "10.0.0.7")
    for token, principal in ((b"Bearer right", "shop"), (b"Bearer wrong", "certificate")):
        caller = reader.read([(b"authorization", token)], arrived_us=1, identity=connection)
        assert caller.identity == (principal, "10.0.0.7")
    assert READER.read([(b"authorization", b"Bearer right")], arrived_us=1).identity == NOBODY


clocks = st.lists(st.integers(0, (1 << 48) - 2), min_size=1, max_size=50)


@given(milliseconds=st.integers(0, (1 << 48) - 1), noise=st.binary(min_size=8, max_size=8))
def test_an_id_is_a_uuid_of_version_7_with_its_time(milliseconds: int, noise: bytes) -> None:
    made = RequestIds(clock_ns=lambda: milliseconds * 1_000_000 + 999_999, random=lambda size: (noise * size)[:size])
    read = uuid.UUID(made.new())
    assert (read.version, read.variant) == (7, uuid.RFC_4122)
    assert read.int >> 80 == milliseconds
    assert read.int & ((1 << 62) - 1) == int.from_bytes(noise) & ((1 << 62) - 1)


@given(times=clocks)
def test_ids_rise_even_if_the_clock_stands_still_or_goes_back(times: list[int]) -> None:
    clock = iter(time * 1_000_000 for time in times)
    made = RequestIds(clock_ns=lambda: next(clock), random=bytes)
    ids = [made.new() for _ in times]
    assert ids == sorted(set(ids))


def test_a_full_millisecond_borrows_from_the_next() -> None:
    made = RequestIds(clock_ns=lambda: 5_000_000, random=bytes)
    last = [uuid.UUID(made.new()) for _ in range(4097)][-1]
    assert last.int >> 80 == 6
    assert last.version == 7


def test_two_processes_do_not_meet() -> None:
    one, other = RequestIds(clock_ns=lambda: 1), RequestIds(clock_ns=lambda: 1)
    assert not {one.new() for _ in range(1000)} & {other.new() for _ in range(1000)}


def test_ids_of_answers_do_not_meet_and_are_short() -> None:
    one, other = AnswerIds(), AnswerIds()
    ids = [made.new() for made in (one, other) for _ in range(1000)]
    assert len(set(ids)) == 2000
    assert all(each.startswith("pitfalls-") and len(each) <= 45 for each in ids)
