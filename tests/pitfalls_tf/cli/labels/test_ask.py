"""``pitfalls labels ask``: rows are written for a person, and their labels come back by the usual door."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from monitoring.config import load_config
from monitoring.timestamps import as_microseconds
from monitoring.traffic.labels.label_log import LabelLog
from monitoring.traffic.labels.label_writer import LabelWriter
from tests.pitfalls_tf.cli.small_log import run
from tests.small_deployment import CONFIG, LIVE, Days, bundle, deploy, deployed, send

__all__ = ["bundle", "deploy", "deployed", "send"]

BUDGET = '[labels]\nbudget = "50 per week"\n'


def test_a_person_fills_in_a_file_and_it_is_added(deployed: Path, send: Callable[..., None]) -> None:
    (deployed / "monitor.toml").write_text(CONFIG + BUDGET)
    send(deployed, Days(days=8), labels=False)
    out, log = deployed / "rows.csv", deployed / "traffic"
    flags = ("--config", deployed / "monitor.toml", "--to", "2013-04-08", "--seed", "4")
    done = run("labels", "ask", *flags, "--out", out, "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document == {
        "file": str(out),
        "rows": 50,
        "labelled": 0,
        "drawn": {
            "rows": 50,
            "of": 180,
            "probability": 50 / 180,
            "start": "2013-04-05T00:00:00+00:00",
            "end": "2013-04-08T00:00:00+00:00",
            "seed": 4,
        },
        "due": "2013-04-12T00:00:00+00:00",
        "traffic": str(log),
    }
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["prediction_id", "event_time", "label", "label_time", "temp", "origin"]
    some = [{**row, "label": "late"} for row in rows[:30]]
    with out.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(some)
    done = run("labels", "add", out, "--traffic", log)
    assert done.stdout.startswith("Added 30 labels; the log has labels for 30 prediction ids (0 repeated labels")
    assert set(LabelLog(log).read()["prediction_id"].to_pylist()) == {row["prediction_id"] for row in some}
    done = run("labels", "ask", *flags, "--out", deployed / "rows.parquet")
    assert done.stdout.splitlines()[:3] == [
        "No row is drawn: the budget is used, or the day that the last rows were drawn from is not over.",
        "Of the rows that are asked for, 30 have a label already.",
        f"Wrote 20 rows that wait for a label to {deployed / 'rows.parquet'}.",
    ]
    assert pq.read_table(deployed / "rows.parquet").num_rows == 20


def test_rows_that_have_labels_already_are_said_to(deployed: Path, send: Callable[..., None]) -> None:
    (deployed / "monitor.toml").write_text(CONFIG + BUDGET)
    send(deployed, Days(days=8))
    out = deployed / "rows.parquet"
    done = run(
        "labels", "ask", "--config", deployed / "monitor.toml", "--to", "2013-04-08", "--seed", "3", "--out", out
    )
    drew, labelled, wrote = done.stdout.splitlines()[:3]
    assert drew.startswith("Drew 50 of 180 rows")
    assert labelled == f"Of the rows that are asked for, {50 - pq.read_table(out).num_rows} have a label already."
    assert wrote == f"Wrote {pq.read_table(out).num_rows} rows that wait for a label to {out}."
    writer = LabelWriter(deployed / "traffic", clock=lambda: LIVE)
    ids = pq.read_table(out)["prediction_id"].to_pylist()
    writer.append(ids, ["late"] * len(ids), [as_microseconds(LIVE)] * len(ids))
    writer.close()
    done = run("labels", "ask", "--config", deployed / "monitor.toml", "--to", "2013-04-08", "--out", out)
    assert done.stdout.splitlines()[1:] == [
        "Of the rows that are asked for, 50 have a label already.",
        f"No row waits for a label: {out} has none.",
    ]


def test_rows_are_those_of_the_version_that_answers_though_a_newer_one_is_there(
    deployed: Path, send: Callable[..., None]
) -> None:
    config, out = deployed / "monitor.toml", deployed / "rows.csv"
    config.write_text(CONFIG + BUDGET)
    send(deployed, Days(days=8), labels=False)
    models = load_config(config).model.folder
    shutil.copytree(models / "1", models / "2")
    done = run("labels", "ask", "--config", config, "--out", out, "--to", "2013-04-08")
    assert done.stdout.startswith("Drew 50 of 180 rows")
    done = run("labels", "ask", "--config", config, "--out", out, "--to", "2013-05-08")
    assert done.stdout.startswith("No row is drawn: none was answered from 2013-05-05 until 2013-05-08, ")


def test_wrong_input_is_one_message(deployed: Path, send: Callable[..., None]) -> None:
    send(deployed, Days(days=2), labels=False)
    config, out = deployed / "monitor.toml", deployed / "rows.parquet"
    for text, arguments, message in [
        (CONFIG, ("--out", out), "The config has no budget of labels."),
        (CONFIG + BUDGET, ("--out", deployed / "nowhere" / "rows.csv"), "The folder is not there."),
        (CONFIG + BUDGET, ("--out", out, "--to", "2999-01-01"), "These days are not over."),
        (CONFIG + BUDGET.replace("50", "0"), ("--out", out), "not a budget of labels"),
        (CONFIG + BUDGET, (), "Missing option '--out'"),
    ]:
        config.write_text(text)
        done = run("labels", "ask", "--config", config, *arguments)
        assert (done.exit_code, done.stdout) == (2, ""), arguments
        assert message in done.stderr
    assert not out.exists()
