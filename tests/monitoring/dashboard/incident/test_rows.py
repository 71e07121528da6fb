from __future__ import annotations

import io
from base64 import b64decode
from pathlib import Path

import pytest
from PIL import Image

from monitoring.dashboard.incident.rows import RowsView, read_rows
from tests.dashboard_store import described_stores
from tests.described_deployment import WORDS


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> RowsView:
    stores = described_stores(tmp_path_factory.mktemp("described"))
    return read_rows(stores.deployment(("shop", 1)), 1)


def test_three_groups_of_rows_stand_side_by_side(view: RowsView) -> None:
    assert [one.title for one in view.groups] == [
        "Worst: Brier score",
        "Typical of the window",
        "Typical of the baseline",
    ]
    worst, typical, baseline = view.groups
    assert (len(worst.pictures), len(typical.pictures), len(baseline.pictures)) == (2, 6, 6)
    assert worst.pictures[0].words.startswith("photo: ")
    assert "; label " in worst.pictures[0].words
    assert b64decode(worst.pictures[0].address.partition(",")[2])[:4] == b"\x89PNG"
    assert [one.text for one in worst.quotes] == [WORDS[95 % 4], WORDS[92 % 4]]
    assert baseline.note.startswith("A baseline does not keep comment, photo")


def test_a_table_has_what_was_answered_and_what_was_given(view: RowsView) -> None:
    table = view.tables[0]
    assert table.columns == ("Prediction", "Event time", "Answer", "Label", "Score", "weight", "comment")
    assert [row[0].text for row in table.rows] == ["p095:0", "p092:0"]
    assert [row[4].text for row in table.rows] == ["0.900", "0.800"]
    assert table.numeric == {4, 5}


def test_why_there_are_no_rows_is_said(tmp_path: Path) -> None:
    stores = described_stores(tmp_path)
    (tmp_path / "traffic").rename(tmp_path / "away")
    view = read_rows(stores.deployment(("shop", 1)), 1)
    assert view.groups == ()
    assert "traffic" in " ".join(view.problem)


def test_images_that_are_files_are_shown_small_and_damaged_ones_are_counted(tmp_path: Path) -> None:
    whole = io.BytesIO()
    Image.new("RGB", (400, 200), (250, 3, 3)).save(whole, "JPEG")
    damaged = b"\xff\xd8\xff no image"
    stores = described_stores(tmp_path, files=(whole.getvalue(), whole.getvalue(), whole.getvalue(), damaged))
    worst, typical, _ = read_rows(stores.deployment(("shop", 1)), 1).groups  # rows 95 and 92: the fourth and the first
    assert (len(worst.pictures), worst.note) == (1, "1 of 2 images cannot be decoded.")
    shown = Image.open(io.BytesIO(b64decode(worst.pictures[0].address.partition(",")[2])))
    assert shown.size == (128, 64)
    assert shown.getpixel((9, 9)) == pytest.approx((250, 3, 3), abs=4)
    assert worst.pictures[0].words.startswith("photo: ")
    assert len(typical.pictures) in {4, 5, 6}
