"""A grid from end to end: it goes on where it stopped, gives the same again, and says what its numbers say."""

from __future__ import annotations

import json
import re
from itertools import count
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.errors import BadInput, CannotRun
from pitfalls_tf.experiments import checking
from pitfalls_tf.experiments.experiment import Scale
from pitfalls_tf.experiments.reproduce import reproduce
from pitfalls_tf.experiments.run_store import Lab, Progress
from pitfalls_tf.training import runs
from tests.pitfalls_tf.experiments.small_experiment import CELLS, SMALL, Counting, Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCALE = Scale(quick=True)


def clock() -> Callable[[], float]:
    """A second later every time it is looked at."""
    ticks = count()
    return lambda: float(next(ticks))


def lab(folder: Path, told: list[Progress] | None = None) -> Lab:
    """A lab that writes into a folder."""
    return Lab(folder, SCALE, clock=clock(), progress=(told if told is not None else []).append)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the small experiment leaves behind."""
    out = tmp_path_factory.mktemp("reproduced")
    reproduce([SMALL], out, SCALE, clock=clock(), progress=lambda *_: None)
    return out


def test_everything_is_there_and_both_pictures_are_pictures(folder: Path) -> None:
    made = folder / "small"
    assert {path.name for path in made.iterdir()} == {
        "README.md",
        "manifest.json",
        "scores.parquet",
        "history.parquet",
        "table.parquet",
        "table.md",
        "small.svg",
        "small.png",
    }
    assert (made / "small.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (made / "small.svg").read_text("utf-8")


def test_the_page_says_what_the_manifest_says(folder: Path) -> None:
    document = json.loads((folder / "small" / "manifest.json").read_text("utf-8"))
    page = (folder / "small" / "README.md").read_text("utf-8")
    index = (folder / "README.md").read_text("utf-8")
    (claim,) = document["claims"]
    assert f"Verdict: {claim['verdict']}." in page
    for one in claim["findings"]:
        assert f"{one['where']} {one['measured']}, {one['verdict']}" in page
        assert f"{one['where']} {one['measured']}, {one['verdict']}" in index
    assert "Quick run" in page
    assert document["quick"]


def test_every_link_of_the_pages_leads_somewhere(folder: Path) -> None:
    for page in (folder / "README.md", folder / "small" / "README.md"):
        links = re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8"))
        assert links
        assert not [link for link in links if not (page.parent / link).is_file()]


def test_the_same_seeds_elsewhere_give_the_same_table(folder: Path, tmp_path: Path) -> None:
    (again,) = reproduce([SMALL], tmp_path, SCALE, clock=clock(), progress=lambda *_: None)
    first = json.loads((folder / "small" / "manifest.json").read_text("utf-8"))
    assert again.manifest["table_digest"] == first["table_digest"]
    assert again.manifest["cells"] == first["cells"]
    name = "scores.parquet"
    assert pq.read_table(tmp_path / "small" / name).equals(pq.read_table(folder / "small" / name))


def test_a_run_again_makes_nothing_again(folder: Path) -> None:
    cells = [Counting(cell) for cell in CELLS]
    lab(folder / ".cells").run(cells, range(3))
    assert [cell.made for cell in cells] == [[], []]


def test_an_interrupted_grid_goes_on_and_gives_the_same(folder: Path, tmp_path: Path) -> None:
    cells = [Counting(CELLS[0], most=2), Counting(CELLS[1])]
    with pytest.raises(Interrupted):
        lab(tmp_path).run(cells, range(3))
    (tmp_path / f"{runs.UNFINISHED}half.parquet").write_bytes(b"torn")
    told: list[Progress] = []
    rest = [Counting(cell) for cell in CELLS]
    table = lab(tmp_path, told).run(rest, range(3))
    assert [cell.made for cell in rest] == [[2], [0, 1, 2]]
    assert table.equals(lab(folder / ".cells").run(CELLS, range(3)))
    assert (told[0].done, told[0].total, told[0].remaining) == (2, 6, None)
    assert (told[-1].done, told[-1].total, told[-1].remaining) == (6, 6, 0)


def test_a_run_of_other_code_is_not_taken_for_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = Counting(CELLS[0])
    lab(folder / ".cells").run([cell], range(1))
    assert cell.made == []
    monkeypatch.setattr(Counting, "code", property(lambda _: (*CELLS[0].code, "pitfalls_tf.experiments.alterations")))
    lab(folder / ".cells").run([cell], range(1))
    assert cell.made == [0]


def test_more_seeds_add_to_fewer(folder: Path) -> None:
    cell = Counting(CELLS[0])
    table = lab(folder / ".cells").run([cell], range(4))
    assert cell.made == [3]
    assert sorted(set(table["seed"].to_pylist())) == [0, 1, 2, 3]


def test_an_ensemble_has_members_of_its_own(folder: Path) -> None:
    table = lab(folder / ".cells").run(CELLS, range(3)).to_pylist()
    final = {(row["setup"], row["seed"], row["domain"], row["metric"]): row["value"] for row in table}
    assert final["plain", 0, "north", "brier"] != final["two together", 0, "north", "brier"]
    assert {row["epoch"] for row in table if row["setup"] == "two together"} == {None}


def test_no_seeds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No seeds"):
        lab(tmp_path).run(CELLS, [])


def test_two_at_once_in_a_folder_are_refused(tmp_path: Path) -> None:
    with runs.exclusive(tmp_path), pytest.raises(CannotRun, match="at work"):
        lab(tmp_path).run(CELLS, range(1))


def test_results_are_made_again_to_the_same_table_or_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "find", lambda _: (SMALL,))

    def again(manifest: Path) -> checking.Checked:
        return checking.check(manifest, tmp_path / "again", clock=clock(), progress=lambda _: None)

    manifest = folder / "small" / "manifest.json"
    document = json.loads(manifest.read_text("utf-8"))
    assert again(manifest).table_digest == document["table_digest"]
    assert again(manifest).code == "by the same code"
    changed = tmp_path / "manifest.json"
    for change, error, words in (
        ({"table_digest": "0"}, CannotRun, "by the same code"),
        ({"table_digest": "0", "code": ["other"]}, CannotRun, "by other code"),
        ({"table_digest": "0"}, CannotRun, "on such a processor"),
        (
            {"table_digest": "0", "processor": {"model": "an abacus", "threads": 1}},
            CannotRun,
            "an abacus, 1 thread then",
        ),
        ({"table_digest": "0", "processor": None}, CannotRun, "a processor that the manifest does not name"),
        ({"environment": {**document["environment"], "cores": 99}}, CannotRun, "cores"),
        ({"experiment": "smaller"}, BadInput, "Not the manifest of an experiment"),
    ):
        changed.write_text(json.dumps({**document, **change}), "utf-8")
        with pytest.raises(error, match=words):
            again(changed)
    with pytest.raises(BadInput, match="Not the manifest"):
        again(tmp_path / "none.json")
    # How far apart, where the table is there too.
    changed.write_text(json.dumps({**document, "table_digest": "0"}), "utf-8")
    scores = pq.read_table(folder / "small" / "scores.parquet")
    moved = [value if place else value + 0.25 for place, value in enumerate(scores["value"].to_pylist())]
    place = scores.column_names.index("value")
    for table, words in (
        (scores, "every score is the same, what was noted after each epoch is not"),
        (scores.set_column(place, "value", pa.array(moved)), rf"1 of {len(scores)} scores differ, by 0\.25 at most"),
        (scores.slice(1), f"{len(scores)} rows of results, of which others .* {len(scores) - 1} there"),
    ):
        pq.write_table(table, tmp_path / "scores.parquet")
        with pytest.raises(CannotRun, match=words):
            again(changed)
