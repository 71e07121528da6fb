"""The languages of texts, as the library py3langid tells them: an optional one."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.errors import BadInput

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

#: Languages that are told apart, by ISO 639-1. Rarer ones are left out: short texts would often be taken for them.
LANGUAGES = (
    "ar", "bg", "bn", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "gu", "he", "hi", "hr", "hu", "hy",
    "id", "it", "ja", "ka", "kk", "km", "kn", "ko", "lt", "lv", "ml", "mr", "my", "ne", "nl", "no", "pa", "pl", "pt",
    "ro", "ru", "si", "sk", "sl", "sq", "sr", "sv", "sw", "ta", "te", "th", "tr", "uk", "ur", "uz", "vi", "zh",
)  # fmt: skip

#: What is said of a text with few letters, or of none of the languages with confidence.
UNKNOWN = "unknown"

#: Characters of a text that are looked at, and the bytes that its letters need in UTF-8.
LONGEST = 200
FEWEST_BYTES = 20

#: The probability that a language needs.
CONFIDENCE = 0.3

_LIBRARY = "py3langid"


def can_tell_languages() -> bool:
    """Whether the library is installed."""
    return find_spec(_LIBRARY) is not None


def require_languages() -> None:
    """Raises BadInput where the library is not installed."""
    if not can_tell_languages():
        raise BadInput(
            "The languages of texts take an optional library.",
            got=f"no module {_LIBRARY}",
            expected="the extra language, with which the baseline was made",
            fix="pip install pitfalls-tf[language], or make the baseline again without it.",
        )


def languages_of(texts: pa.Array) -> pa.Array:
    """The most likely language of each text."""
    require_languages()
    coded = pc.utf8_slice_codeunits(texts, 0, LONGEST).dictionary_encode()
    different = coded.dictionary
    letters = pc.binary_length(pc.replace_substring_regex(different, r"\PL+", ""))
    languages = np.full(len(different), UNKNOWN, dtype=object)
    for place in np.flatnonzero(np.asarray(letters, dtype=np.int64) >= FEWEST_BYTES):
        language, _ = _identifier().classify(different[place].as_py())
        languages[place] = language if language in LANGUAGES else UNKNOWN
    return pa.array(languages, pa.string()).take(coded.indices)


@cache
def _identifier() -> LanguageIdentifier:
    """The library's own model, of `LANGUAGES` alone. Cost: a second, and 50 MB."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 - optional, and takes a second

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True, min_confidence=CONFIDENCE)
    identifier.set_languages(LANGUAGES)
    return identifier
