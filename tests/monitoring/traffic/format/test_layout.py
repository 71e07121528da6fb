"""A log's folder is recognised by its names, and whatever else is given instead is named."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.errors import BadInput
from monitoring.traffic.format.layout import ARCHIVE, GAPS, LABELS, OPEN, check_root, is_log, model_folder

ENCODABLE = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(ENCODABLE, st.integers(0, 2**63 - 1))
def test_any_model_has_one_folder_from_which_its_name_and_version_are_read(model: str, version: int) -> None:
    folder = model_folder(Path("root"), model, version)
    assert folder.parts[0] == "root"
    name, number = (part.partition("=")[2] for part in folder.parts[1:])
    assert (unquote(name), int(number)) == (model, version)


@pytest.mark.parametrize(
    ("names", "expected"),
    [([OPEN], True), ([LABELS], True), (["model=flights"], True), ([GAPS, ARCHIVE, "notes"], False), ([], False)],
)
def test_open_segments_labels_or_parts_make_a_folder_a_log(names: list[str], expected: bool) -> None:
    assert is_log(names) is expected


def test_a_log_passes_and_anything_else_is_refused_by_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no such traffic log.*nowhere"):
        check_root(tmp_path / "nowhere")
    with pytest.raises(BadInput, match="an empty folder"):
        check_root(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="file, which is a file"):
        check_root(tmp_path / "file")
    with pytest.raises(BadInput, match=r"is not a traffic log\. Got a folder with file"):
        check_root(tmp_path)
    (tmp_path / LABELS).mkdir()
    check_root(tmp_path)
