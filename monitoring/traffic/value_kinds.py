"""Whether the values of a text column can be told apart by how common they are, or are ids or free text."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

ValueKind: TypeAlias = Literal["category", "id", "free text"]

#: Columns of no more different values are categories, whatever these are. A TFDV schema lists as many.
MOST_LISTED = 100

#: The share of rows whose value occurs once is about the chance that the next row has a new one (Good 1953). From this
#: chance on, a column is an id, and texts of several words are free text.
ID_SHARE = 0.5
TEXT_SHARE = 0.1

#: Texts are taken for sentences from so many words or characters on, on average over the different ones.
TEXT_WORDS = 3.0
TEXT_LENGTH = 40.0


#: Whole numbers in a column of such a name count nothing: they are categories, or ids.
_ID_NAME = re.compile(r"(?:^|[_\W])(?:id|uuid|guid|ID|UUID|GUID|Id)$|[a-z]I[Dd]$")


#: The reason of a text column that holds numbers as people write them, with separators of thousands or a unit.
NUMBERS_AS_TEXT = "numbers as text"
_WRITTEN_NUMBER = r"^[-+]?[$€£]?[ ]?\d{1,3}(?:[,.' ]\d{3})*(?:[.,]\d+)?[ ]?[%$€£]?$"


def is_id_name(name: str) -> bool:
    """Whether whole numbers in a column of this name are ids, or codes, and count nothing.

    >>> is_id_name("order_id"), is_id_name("paid")
    (True, False)
    """
    return _ID_NAME.search(name) is not None


def why_no_input(texts: pa.Array) -> str:
    """Why a column of which its owner says nothing is no input: its values are ids, or free text.

    >>> why_no_input(pa.array([str(place) for place in range(500)]))
    'an id: 500 values in 500 rows'

    Args:
        texts: The values as text, [n].
    """
    kind = value_kind(texts)
    if kind == "category":
        return ""
    words = texts.drop_null()
    if kind == "id" and pc.all(pc.match_substring_regex(words, _WRITTEN_NUMBER)).as_py():
        example = words.filter(pc.match_substring_regex(words, r"\D"))
        if len(example):
            return f"{NUMBERS_AS_TEXT}, such as {example[0]}: write them as plain numbers, or declare a category"
    article = "an id" if kind == "id" else kind
    return f"{article}: {len(texts.unique()):,} values in {len(texts) - texts.null_count:,} rows"


def value_kind(column: pa.Array) -> ValueKind:
    """What kind of values a text column has.

    Source: Good, *The population frequencies of species and the estimation of population parameters* (1953), for the
    chance of a new value.

    Returns:
        "id" where most rows have a value of their own, "free text" where many have and it is made of words.

    >>> orders = pa.array([f"order {place}" for place in range(500)])
    >>> value_kind(orders), value_kind(pa.array(["north", "south"] * 250))
    ('id', 'category')
    """
    coded = column.drop_null().dictionary_encode()
    if len(coded.dictionary) <= MOST_LISTED:
        return "category"
    counts = np.bincount(np.asarray(coded.indices, dtype=np.int64))
    new = int((counts == 1).sum()) / len(coded)
    if new < TEXT_SHARE:
        return "category"
    texts = coded.dictionary
    words = pc.mean(pc.count_substring_regex(texts, r"\S+")).as_py()
    if words >= TEXT_WORDS or pc.mean(pc.utf8_length(texts)).as_py() >= TEXT_LENGTH:
        return "free text"
    return "id" if new >= ID_SHARE else "category"
