"""Languages of texts: told where the optional library is installed, and refused in one error where it is not."""

from __future__ import annotations

import re
import sys

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from monitoring.traffic.descriptors.language import (
    LANGUAGES,
    LONGEST,
    UNKNOWN,
    can_tell_languages,
    languages_of,
    require_languages,
)

needs_library = pytest.mark.skipif(not can_tell_languages(), reason="needs the extra language")


@needs_library
@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The parcel arrived two days late and the box was broken.", "en"),
        ("El paquete llegó dos días tarde y la caja estaba rota.", "es"),
        ("Das Paket kam zwei Tage zu spät an, und die Schachtel war kaputt.", "de"),
        ("Le colis est arrivé avec deux jours de retard et la boîte était cassée.", "fr"),
        ("DAS PAKET KAM ZWEI TAGE ZU SPÄT AN", "de"),
        ("Посылка пришла вчера вечером.", "ru"),
        ("包裹晚了两天才送到箱子也坏了", "zh"),
        ("ok, thanks", UNKNOWN),
        ("4711-0815 #42 2024-01-05 12:30:00", UNKNOWN),
        ("", UNKNOWN),
        ("ᚠᚢᚦᚨᚱᚲᚷᚹᚺᚾᛁᛃ", UNKNOWN),
    ],
)
def test_the_language_of_a_text(text: str, language: str) -> None:
    assert languages_of(pa.array([text])).to_pylist() == [language]


@needs_library
def test_each_text_keeps_its_place_and_only_the_beginning_of_a_long_one_is_read() -> None:
    english, german = "this is the beginning of a long text ", "und so geht es nun immer weiter mit dem Text "
    long = english * (LONGEST // len(english) + 1) + german * 1_000
    found = languages_of(pa.array([german * 2, "", long, german * 2]))
    assert found.to_pylist() == ["de", UNKNOWN, "en", "de"]


@needs_library
@given(st.lists(st.text(max_size=60), max_size=5))
def test_any_text_has_a_code(texts: list[str]) -> None:
    told = languages_of(pa.array(texts, pa.large_string()))
    assert len(told) == len(texts)
    assert set(told.to_pylist()) <= {*LANGUAGES, UNKNOWN}


def test_without_the_library_it_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py3langid", None)
    assert not can_tell_languages()
    with pytest.raises(BadInput, match=re.escape("pitfalls-tf[language]")):
        require_languages()
    with pytest.raises(BadInput, match=re.escape("pitfalls-tf[language]")):
        languages_of(pa.array(["a text"]))
