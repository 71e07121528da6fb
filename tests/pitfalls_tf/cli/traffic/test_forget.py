"""``pitfalls traffic forget``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monitoring.traffic.log.log import TrafficLog
from tests.pitfalls_tf.cli.small_log import labels, run, traffic

__all__ = ["labels", "traffic"]


def ids(folder: Path) -> list[str]:
    found: list[str] = TrafficLog(folder).table()["prediction_id"].to_pylist()
    return found


def test_rows_and_labels_go_with_a_receipt(traffic: Path, labels: Path) -> None:
    run("labels", "add", labels, "--traffic", traffic)
    result = run("traffic", "forget", traffic, "a:1", "--by", "me")
    assert result.exit_code == 0, result.output
    assert "Erased 1 row of 1 file: part" in result.stdout
    assert "Erased 2 rows of 1 file: label log" in result.stdout
    assert "Receipt: " in result.stdout
    assert ids(traffic) == ["a:0", "b:0"]
    [path] = (traffic / "erasures").glob("*.json")
    assert json.loads(path.read_text("utf-8"))["by"] == "me"
    again = run("labels", "add", labels, "--traffic", traffic)
    assert "Added 1 label" in again.stdout
    assert "2 labels of erased predictions were left out." in again.stdout


def test_ids_may_stand_in_a_file(traffic: Path, tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_text("a:0\n\nb:0\n", "utf-8")
    document = json.loads(run("traffic", "forget", traffic, "--from-file", file, "--json").stdout)
    assert document["removed"] == 2
    assert document["state"] == "complete"
    assert Path(document["receipt"]).is_file()
    assert ids(traffic) == ["a:1"]


def test_a_value_of_a_column_names_the_rows(traffic: Path, tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("carrier,n\nUA,1\nB6,2\n", "utf-8")
    plan = json.loads(
        run("traffic", "forget", traffic, "--where", "carrier=UA", "--also", table, "--dry-run", "--json").stdout
    )
    assert (plan["dry_run"], plan["removed"]) == (True, 3)
    assert len(ids(traffic)) == 3
    text = run("traffic", "forget", traffic, "--where", "carrier=UA", "--dry-run").stdout
    assert text == "Would erase 2 rows of 1 file: part\nNothing was changed.\n"
    assert run("traffic", "forget", traffic, "--where", "carrier=UA", "--also", table).exit_code == 0
    assert ids(traffic) == ["a:1"]
    assert table.read_text("utf-8") == "carrier,n\nB6,2\n"
    assert "No such row" in run("traffic", "forget", traffic, "--where", "carrier=UA").stdout


def test_what_could_not_be_reached_ends_with_3(traffic: Path, tmp_path: Path) -> None:
    config = tmp_path / "monitor.toml"
    config.write_text(
        '[model]\nbundle = "models/m"\n[traffic]\npath = "traffic"\n[store]\nurl = "sqlite:///none.db"\n', "utf-8"
    )
    result = run("traffic", "forget", traffic, "a:0", "--config", config)
    assert result.exit_code == 3
    assert "NOT REACHED store: No window has been judged yet." in result.stdout
    assert ids(traffic) == ["a:1", "b:0"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("DIR",), "neither ids nor --where"),
        (("DIR", "a:0", "--where", "x=1"), "ids and --where"),
        (("DIR", "--from-file", "nowhere"), "The ids cannot be read"),
        (("DIR", "--where", "x"), "COLUMN=VALUE"),
        (("DIR", "--where", "mail=1"), "input:carrier"),
        (("s3://bucket/log", "a:0"), "Rows of a log at a URL"),
        (("nowhere", "a:0"), "no such traffic log"),
    ],
)
def test_wrong_input_is_refused(traffic: Path, arguments: tuple[str, ...], message: str) -> None:
    result = run("traffic", "forget", *(str(traffic) if one == "DIR" else one for one in arguments))
    assert result.exit_code == 2
    assert message in result.stderr


def test_the_summary_needs_no_word_of_its_own(traffic: Path) -> None:
    assert run("traffic", traffic).stdout == run("traffic", "summary", traffic).stdout
    assert "forget" in run("traffic", "--help").stdout
