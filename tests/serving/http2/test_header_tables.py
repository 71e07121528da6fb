"""The tables of header compression."""

from __future__ import annotations

from serving.http2.header_tables import STATIC, TABLE_BYTES, HeaderTable


def test_the_static_table_is_that_of_the_standard() -> None:
    assert len(STATIC) == 61
    assert [STATIC[place - 1] for place in (1, 3, 8, 16, 31, 61)] == [
        (b":authority", b""),
        (b":method", b"POST"),
        (b":status", b"200"),
        (b"accept-encoding", b"gzip, deflate"),
        (b"content-type", b""),
        (b"www-authenticate", b""),
    ]


def test_the_newest_entry_comes_first_and_the_oldest_goes() -> None:
    table = HeaderTable()
    for letter in (b"a", b"b", b"c"):
        table.add((letter, b"x" * 1500))
    assert [table.entry(number) for number in (62, 63, 64)] == [(b"c", b"x" * 1500), (b"b", b"x" * 1500), None]
    table.resize(1600)
    assert [table.entry(number) for number in (62, 63)] == [(b"c", b"x" * 1500), None]


def test_an_entry_that_is_too_large_empties_the_table() -> None:
    table = HeaderTable()
    table.add((b"a", b"1"))
    table.add((b"b", b"x" * TABLE_BYTES))
    assert table.entry(62) is None
    assert table.entry(0) is None
