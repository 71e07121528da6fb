"""Columns that are described: their inputs by name, and what becomes of columns that are not as they were."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from monitoring.traffic.descriptors.encoded_image import EncodedImageDescriptors
from monitoring.traffic.descriptors.registry import described_inputs, read_descriptors, require_libraries, undescribed
from monitoring.traffic.descriptors.text import TextDescriptors

CELLS = pa.array(["some words", None])
WHEN = np.arange(2)
NOTE = TextDescriptors.of(TextDescriptors.fit("note", [(CELLS, WHEN)]).document())


def test_the_inputs_of_a_column() -> None:
    found, problems = described_inputs([NOTE], {"note": pa.chunked_array([CELLS])}, WHEN)
    assert (list(found), problems) == (list(NOTE.kinds), {})
    assert found["note.characters"].to_pylist()[0] == 10


def test_a_dictionary_is_read_as_its_texts() -> None:
    coded = pa.chunked_array([CELLS.dictionary_encode()])
    found, _ = described_inputs([NOTE], {"note": coded}, WHEN)
    assert found["note.words"].to_pylist()[0] == 2


@pytest.mark.parametrize(
    ("columns", "problem"), [({}, "absent"), ({"note": pa.chunked_array([pa.array([1, 2])])}, "type changed to int64")]
)
def test_without_the_column_all_its_inputs_are_missing(columns: dict[str, pa.ChunkedArray], problem: str) -> None:
    found, problems = described_inputs([NOTE], columns, WHEN)
    assert problems == dict.fromkeys(NOTE.kinds, problem)
    assert found["note.script"].null_count == 2
    assert np.isnan(found["note.words"].to_numpy()).all()


def test_cells_of_which_nothing_can_be_said_are_counted() -> None:
    photo = EncodedImageDescriptors(source="photo")
    columns = {"photo": pa.chunked_array([pa.array([b"damaged", None])]), "note": pa.chunked_array([CELLS])}
    found, _ = described_inputs([NOTE, photo], columns, WHEN)
    masks = undescribed([NOTE, photo], columns, found)
    assert {column: mask.tolist() for column, mask in masks.items()} == {"photo": [True, False]}
    assert undescribed([photo], {}, found) == {}


def test_a_kind_of_a_later_version_is_refused() -> None:
    assert read_descriptors(NOTE.document()).kinds == NOTE.kinds
    with pytest.raises(LookupError):
        read_descriptors({"kind": "sound", "source": "call"})


def test_a_library_is_asked_for_only_where_a_descriptor_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py3langid", None)
    require_libraries([NOTE])
    with pytest.raises(BadInput, match="pip install"):
        require_libraries([NOTE, replace(NOTE, language=True)])
