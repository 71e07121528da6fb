"""Texts as numbers: lengths, words, characters and scripts, and which words are new."""

from __future__ import annotations

import json
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from monitoring.traffic.descriptors.text import LONGEST, TextDescriptors

DAY = 86_400_000_000


def live(fitted: TextDescriptors) -> TextDescriptors:
    """Those of rows that are not of the reference."""
    return TextDescriptors.of(fitted.document())


def described(texts: list[str | None]) -> dict[str, list[object]]:
    cells, when = pa.array(texts, pa.string()), np.arange(len(texts)) * DAY
    fitted = live(TextDescriptors.fit("note", [(cells, when)]))
    found = fitted.describe(cells, when)
    assert list(found) == list(fitted.kinds)
    return {name.removeprefix("note."): column.to_pylist() for name, column in found.items()}


@pytest.mark.parametrize(
    ("text", "characters", "words", "digits", "special", "script"),
    [
        ("A red car!", 10, 3, 0.0, 0.1, "Latin"),
        ("room 42", 7, 2, 2 / 7, 0.0, "Latin"),
        ("", 0, 0, 0.0, 0.0, "none"),
        ("1234", 4, 1, 1.0, 0.0, "none"),
        ("\u041f\u0440\u0438\u0432\u0435\u0442 \u043c\u0438\u0440", 10, 2, 0.0, 0.0, "Cyrillic"),
        ("\u4f60\u597d", 2, 1, 0.0, 0.0, "Han"),
        ("caf\xe9 cr\xe8me", 10, 2, 0.0, 0.0, "Latin"),
        ("\u1200\u1201\u1202", 3, 1, 0.0, 0.0, "other"),
        ("#!?", 3, 0, 0.0, 1.0, "none"),
    ],
)
def test_what_is_counted(  # a column for each descriptor
    text: str, characters: int, words: int, digits: float, special: float, script: str
) -> None:
    found = {name: values[0] for name, values in described([text]).items()}
    del found["out_of_vocabulary"]
    assert found == {
        "characters": characters,
        "words": words,
        "digits": pytest.approx(digits),
        "special_characters": pytest.approx(special),
        "script": script,
    }


def test_a_missing_text_is_missing_everywhere() -> None:
    found = described(["a text", None])
    assert found.pop("script")[1] is None
    assert all(np.isnan(values[1]) for values in found.values())  # type: ignore[call-overload]  # floats by now


def test_new_words_are_a_share_of_the_words() -> None:
    when = np.arange(60) * DAY
    fitted = TextDescriptors.fit("note", [(pa.array(["refund the ticket"] * 60), when)])
    found = live(fitted).describe(pa.array(["Refund THE lost luggage", "refund"]), np.zeros(2, np.int64))
    assert found["note.out_of_vocabulary"].to_pylist() == [0.5, 0.0]


def test_words_of_one_day_are_new_to_that_day_of_the_reference() -> None:
    """A reference row is judged by the other days: words that came with its own day are new to it."""
    when = np.repeat(np.arange(30), 2) * DAY
    texts = pa.array([f"common day{row // 2}" for row in range(60)])
    fitted = TextDescriptors.fit("note", [(texts, when)])
    assert fitted.describe(texts, when)["note.out_of_vocabulary"].to_pylist() == [0.5] * 60


def test_only_the_beginning_of_a_long_text_is_looked_at() -> None:
    found = described(["a " * LONGEST])
    assert (found["characters"], found["words"]) == ([2 * LONGEST], [LONGEST // 2])


def test_bytes_that_are_no_text_do_not_stop_it() -> None:
    fitted = TextDescriptors.fit("note", [(pa.array(["a"]), np.zeros(1, np.int64))])
    found = fitted.describe(pa.array([b"\xff\xfe", b"ok"]), np.zeros(2, np.int64))
    assert found["note.words"].to_pylist() == [0.0, 1.0]
    assert not fitted.reads(pa.float64())
    assert all(map(fitted.reads, (pa.string(), pa.binary(), pa.null())))


def test_it_is_read_as_it_was_written() -> None:
    cells, when = pa.array(["some words", "more words"]), np.arange(2) * DAY
    fitted = live(TextDescriptors.fit("note", [(cells, when)]))
    read = TextDescriptors.of(json.loads(json.dumps(fitted.document())))
    assert read.describe(cells, when) == fitted.describe(cells, when)


def test_the_language_is_there_where_the_baseline_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A baseline made before has none, whatever is installed now."""
    cells, when = pa.array(["a text", None]), np.arange(2) * DAY
    former = TextDescriptors.fit("note", [(cells, when)])
    assert "language" not in former.document()
    assert list(live(former).describe(cells, when)) == list(former.kinds)
    assert "note.language" not in former.kinds
    fitted = live(TextDescriptors.fit("note", [(cells, when)], language=True))
    assert fitted.kinds == {**former.kinds, "note.language": "category"}
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "py3langid", None)
        with pytest.raises(BadInput, match="languages"):
            fitted.describe(cells, when)
    pytest.importorskip("py3langid")
    assert fitted.describe(cells, when)["note.language"].to_pylist() == ["unknown", None]


@given(st.lists(st.one_of(st.none(), st.text(max_size=40)), min_size=1, max_size=8))
def test_any_texts_are_described(texts: list[str | None]) -> None:
    found = described(texts)
    for name in ("out_of_vocabulary", "digits", "special_characters"):
        values = np.array(found[name], dtype=np.float64)
        assert np.array_equal(np.isnan(values), [text is None for text in texts])
        assert not values.size or np.nanmax(np.append(values, 0.0)) <= 1.0
