"""Streams of texts: no text twice, and more of one language after the change."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.truth.languages import CLEAN, LANGUAGES, REFERENCE, ROWS, Mix, Texts, drawn, read_texts
from monitoring.errors import BadInput

MIX = Mix(title="", before={"en": 0.7, "de": 0.3}, more="de")
TEXTS: Texts = {name: ([f"{name} {row}" for row in range(12_000)], [name] * 12_000) for name in ("en", "de", "es")}


def test_a_stream_has_each_text_once_and_its_shares_change() -> None:
    rows = drawn(MIX, 0.2, TEXTS, stream=1)
    before, after = rows[: (REFERENCE + CLEAN) * ROWS], rows[(REFERENCE + CLEAN) * ROWS :]
    assert rows["text"].is_unique
    assert (rows["text"].str[:2] == rows["language"]).all()
    assert (before["language"] == "de").mean() == pytest.approx(0.3, abs=0.02)
    assert (after["language"] == "de").mean() == pytest.approx(0.5, abs=0.04)
    assert rows["at"].dt.date.value_counts().unique().tolist() == [ROWS]
    assert drawn(MIX, 0.2, TEXTS, stream=1).equals(rows)


def test_a_new_language_takes_from_all_others() -> None:
    rows = drawn(Mix(title="", before={"en": 1.0}, more="es"), 0.1, TEXTS, stream=2)
    assert set(rows["language"][: (REFERENCE + CLEAN) * ROWS]) == {"en"}
    assert (rows["language"][(REFERENCE + CLEAN) * ROWS :] == "es").mean() == pytest.approx(0.1, abs=0.03)


def test_without_texts_it_is_said_where_they_are_from(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no texts") as refused:
        read_texts(tmp_path)
    assert all(name in str(refused.value.got) for name in LANGUAGES)
