"""Two commands from the log of another server to a verdict: those of the pages, on files as that server writes them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from starlette.testclient import TestClient

from monitoring.config.files import read_files
from monitoring.dashboard.stores.named_store import named_stores
from monitoring.dashboard.stores.stores import Stores
from monitoring.dashboard.web.app import Changes, dashboard_app
from tests.dashboard_access import access_with
from tests.monitoring.traffic.foreign_logs.written_logs import (
    START,
    Call,
    cloud_events,
    ground_truth,
    kserve,
    sagemaker,
    write_lines,
)
from tests.pitfalls_tf.cli.small_log import run

PAGES = Path(__file__).parents[4] / "docs" / "how-to" / "coming-from"


def served(days: int, first: int, *, cents: bool = False) -> list[Call]:
    """A hundred calls a day; incomes are in cents where something is broken."""
    draw = np.random.default_rng(first)
    return [
        Call(
            id=f"call-{first}-{place}",
            at=START + timedelta(days=first, seconds=864 * place),
            rows=(
                (round(float(draw.normal(2000, 300)) * (100 if cents else 1), 2), str(draw.choice(["north", "web"]))),
            ),
            answers=(round(float(draw.uniform(0.05, 0.95)), 4),),
        )
        for place in range(100 * days)
    ]


def write(name: str, made: Sequence[Call], folder: Path) -> None:
    """A file a day, and one of labels where the format has them."""
    for day in sorted({call.at.date() for call in made}):
        some = [call for call in made if call.at.date() == day]
        records: Sequence[Mapping[str, Any]] = sagemaker(some) if name == "sagemaker" else kserve(some, form="lists")
        write_lines(folder / f"{day:%Y/%m/%d}/calls.jsonl", records)
        if name == "sagemaker":
            write_lines(folder / f"{day:%Y/%m/%d}/truth.jsonl", ground_truth(some))
        else:
            labels = [{"prediction_id": call.id, "label": int(call.answers[0] > 0.5)} for call in some]
            write_lines(folder / f"{day:%Y/%m/%d}/labels.jsonl", labels)


def commands(name: str) -> list[list[str]]:
    """The commands of a page, with the columns of these calls."""
    text = (PAGES / f"{name}.md").read_text("utf-8")
    found = [shlex.split(line) for line in re.findall(r"^\$ pitfalls (monitor .*)$", text, re.MULTILINE)]
    changes = {"income,age,branch": "income,shop", "branch": "shop"}
    return [[changes.get(word, word) for word in words] for words in found]


@pytest.mark.parametrize("name", ["sagemaker", "kserve"])
def test_the_commands_of_the_page_find_what_is_broken(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    init, judge = commands(name)
    assert (init[:3], judge) == (["monitor", "init", "--log"], ["monitor", "run"])
    reference, live = (Path(init[init.index(flag) + 1]) for flag in ("--reference", "--traffic"))
    write(name, served(40, 0), reference)
    write(name, served(2, 40), live)
    made: Result = run(*init, *([] if "--log-columns" in init else ["--log-columns", "income,shop"]))
    assert made.exit_code == 0, made.output
    assert "4,000 rows of 4,000 calls" in made.stderr
    healthy = run(*judge)
    assert healthy.exit_code == 0, healthy.output
    write(name, served(1, 42, cents=True), live)
    broken = run(*judge, "--json")
    assert broken.exit_code == 1, broken.output
    (page,) = [one for one in json.loads(broken.stdout)["incidents"] if one["level"] == "page"]
    assert "income" in json.dumps(page)
    again = run(*judge)
    assert again.exit_code == 1
    erased = run("traffic", "forget", "label-log", "call-42-7", "--json")
    assert erased.exit_code == 0, erased.output
    assert json.loads(erased.stdout)["removed"] >= 1


def test_events_that_are_sent_by_http_are_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    init, judge = commands("kserve")
    write("kserve", served(40, 0), Path(init[init.index("--reference") + 1]))
    live = init[init.index("--traffic") + 1]
    made: Result = run(*init, "--log-columns", "income,shop")
    assert made.exit_code == 0, made.output
    files = read_files([Path("monitor.toml")])
    token = "a-token-for-events-alone"
    stores = Stores(stores=named_stores(files), files=files, clock=lambda: START + timedelta(days=43))
    app = dashboard_app(lambda: stores, access_with({token: "events"}), Changes(stores.fingerprint))
    client = TestClient(app, follow_redirects=False)
    (config,) = (file.config for file in files)
    assert config is not None
    address = f"/api/v1/events/{config.name}"
    (event, *others) = cloud_events(served(3, 40, cents=True))
    headers = {"content-type": "application/cloudevents+json"}
    assert client.post(address, json=event, headers=headers).status_code == 401
    client.auth = ("kserve", token)  # as the address http://kserve:TOKEN@HOST says it
    assert client.post(address, json=event, headers=headers).status_code == 202
    assert client.post(address, json={}, headers=headers).status_code == 400
    assert client.post("/api/v1/events/other", json=event, headers=headers).status_code == 400
    assert client.get("/api/v1/deployments").status_code == 403
    batch = {"content-type": "application/cloudevents-batch+json"}
    assert client.post(address, json=others, headers=batch).status_code == 202
    assert [path.name for path in Path(live).rglob("*.jsonl")] == ["events-12.jsonl"]
    judged = run(*judge, "--json")
    assert judged.exit_code == 1, judged.output
    assert "income" in json.dumps([one for one in json.loads(judged.stdout)["incidents"] if one["level"] == "page"])


def test_a_format_that_is_none_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    write("sagemaker", served(1, 0), tmp_path / "log")
    refused = run("monitor", "init", "--log", "sagemakr", "--reference", tmp_path / "log", "--out", tmp_path / "out")
    assert refused.exit_code == 2
    assert "expected sagemaker, kserve, vertex" in refused.stderr
    assert not (tmp_path / "out").exists()


def test_one_log_is_the_reference_so_far_and_judged_from_then_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write("sagemaker", served(40, 0), Path("log/first"))
    flags = ("--log-columns", "income,shop", "--score", "prediction", "--label", "label")
    made: Result = run("monitor", "init", "--log", "sagemaker", "log", *flags)
    assert made.exit_code == 0, made.output
    after = f"{START + timedelta(days=41):%Y-%m-%d}"  # the log ends at noon of the day before
    assert f"windows from {after}T00:00Z on are judged" in made.stderr
    assert run("monitor", "run", "--json").exit_code == 0
    write("sagemaker", served(3, 40), Path("log/then"))
    write("sagemaker", served(2, 43, cents=True), Path("log/now"))
    judged = run("monitor", "run", "--json")
    assert judged.exit_code == 1, judged.output
    document = json.loads(judged.stdout)
    assert min(window["start"] for window in document["windows"]).startswith(after)
    assert "income" in json.dumps([one for one in document["incidents"] if one["level"] == "page"])


@pytest.mark.parametrize(
    "flags", [("log",), ("--log", "sagemaker", "log", "--traffic", "live"), ("log", "--bundle", "models/m")]
)
def test_a_path_by_itself_is_one_log(flags: Sequence[str]) -> None:
    refused = run("monitor", "init", *flags)
    assert refused.exit_code == 2
    assert "A path by itself is one log of another server." in refused.stderr
