"""A team's budget in real runs: who pages, what the ledger holds, and who leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from monitoring.config import MonitorConfig, load_config
from monitoring.runs.run import run_due_windows
from monitoring.sentences.incident_text import incident_text
from monitoring.store.store import Store
from pitfalls_tf.cli import pitfalls
from tests.own_table import NOW, own_rows, watch
from tests.small_deployment import LIVE, Days

MEMBERS = ("first", "second", "third")


def member(folder: Path, name: str, *, broken: int | None, fleet: str = "") -> Path:
    """The config of one more deployment beside the adopted one, in the same store."""
    live = folder / f"{name}.parquet"
    pq.write_table(own_rows(Days(days=22, start=LIVE, broken_from=broken, broken_part=0.3, seed=len(name))), live)
    home = folder / "watched/flights"
    text = (home / "monitor.toml").read_text("utf-8")
    text = text.replace("[traffic]\n", f'[traffic]\npath = "{live}"\nlabel_log = "{name}"\n', 1)
    config = home / f"{name}.toml"
    config.write_text(f'[deployment]\nname = "{name}"\n\n{fleet}\n{text}', "utf-8")
    return config


def run(path: Path) -> MonitorConfig:
    """Judge all that is due."""
    config = load_config(path)
    with Store.open(config.store.url) as store:
        run_due_windows(config, store, clock=lambda: NOW)
    return config


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three deployments of a team, of which the second is broken from its eleventh day on."""
    folder = tmp_path_factory.mktemp("fleet")
    watch(folder / "watched")
    for name in MEMBERS:
        run(
            member(
                folder,
                name,
                broken=10 if name == "second" else None,
                fleet='[fleet]\npage = "1 per 90 days"\nteam = "flights"\n',
            )
        )
    return folder


def test_the_broken_deployment_is_paged_by_the_team_and_the_others_are_not(folder: Path) -> None:
    config = load_config(folder / "watched/flights/second.toml")
    with Store.open(config.store.url) as store:
        pages = store.fleets.pages("flights")
        names = {one.number: one.name for one in store.deployments.all()}
        incidents = {
            names[number]: [one for one in store.incidents.read(number) if one.level == "page"]
            for number in names
            if number is not None
        }
    assert pages
    assert names[pages[0].deployment] == "second"
    assert names[pages[0].members[0][0]] == "second"
    assert [name for name, found in incidents.items() if found] == ["second"]
    text = incident_text(incidents["second"][0]).message
    assert "its team's evidence" in text
    assert "threshold 90: 1 per 90 days" in text
    assert incidents["second"][0].opened_at == pages[0].at


def test_the_ledger_says_who_took_how_much_of_the_budget(folder: Path) -> None:
    path = folder / "watched/flights/first.toml"
    done = CliRunner().invoke(pitfalls, ["monitor", "fleet", "--config", str(path), "--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["team"] == "flights"
    days = {one["name"]: one["days"] for one in document["spent"]}
    assert set(days) == set(MEMBERS)
    with Store.open(load_config(path).store.url) as store:
        windows = {
            one.name: store.windows.count(one.number) for one in store.deployments.all() if one.number is not None
        }
    assert days["first"] == pytest.approx(windows["first"]), "alone in its team it takes all of the time"
    assert days["third"] < windows["third"] / 2, "three share it"
    assert {one["name"]: one["pages"] for one in document["spent"]}["second"] >= 1
    shown = CliRunner().invoke(pitfalls, ["monitor", "fleet", "--config", str(path)])
    assert "team flights" in shown.stdout
    assert "Spent: " in shown.stdout


def test_a_deployment_whose_config_names_no_team_any_more_leaves_it(folder: Path) -> None:
    path = folder / "watched/flights/third.toml"
    text = path.read_text("utf-8").replace('[fleet]\npage = "1 per 90 days"\nteam = "flights"\n', "")
    path.write_text(text, "utf-8")
    live = folder / "third.parquet"
    pq.write_table(own_rows(Days(days=23, start=LIVE, seed=len("third"))), live)
    config = run(path)
    with Store.open(config.store.url) as store:
        names = {one.number: one.name for one in store.deployments.all()}
        assert {names[one.deployment] for one in store.fleets.members("flights")} == {"first", "second"}


def test_what_is_no_budget_of_a_team_is_refused_with_its_line(folder: Path) -> None:
    path = member(folder, "wrong", broken=None, fleet='[fleet]\npage = "1 per 90 windows"\n')
    done = CliRunner().invoke(pitfalls, ["monitor", "run", "--config", str(path)])
    assert done.exit_code == 2
    assert "not a budget of a team" in done.output
