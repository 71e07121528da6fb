"""The ledger of a store: evidence of several deployments, from their windows alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from monitoring.config import load_config
from monitoring.deployment.fleet import ledger
from monitoring.evidence.fleet import FleetBudget
from monitoring.runs.run import run_due_windows
from monitoring.store.store import Store
from pitfalls_tf.cli import pitfalls
from tests.own_table import NOW, own_rows, watch
from tests.small_deployment import LIVE, Days

BUDGET = FleetBudget.parse("1 per 90 days")


@pytest.fixture(scope="module")
def config_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two deployments in one store, one of which is broken from its eleventh day on."""
    folder = tmp_path_factory.mktemp("fleet")
    watched = watch(folder / "watched")
    first = watched.adopted.config
    for name, broken in (("sound", None), ("broken", 10)):
        live = folder / f"{name}.parquet"
        pq.write_table(own_rows(Days(days=22, start=LIVE, broken_from=broken, seed=21)), live)
        config = folder / "watched/flights" / f"{name}.toml"
        text = first.read_text("utf-8").replace("[traffic]\n", f'[traffic]\npath = "{live}"\nlabel_log = "{name}"\n', 1)
        config.write_text(f'[deployment]\nname = "{name}"\n\n{text}', "utf-8")
        found = load_config(config)
        with Store.open(found.store.url) as store:
            run_due_windows(found, store, clock=lambda: NOW)
    shutil.copy(folder / "watched/flights/sound.toml", folder / "watched/flights/both.toml")
    return folder / "watched/flights/both.toml"


def test_the_deployment_that_is_harmed_is_named(config_path: Path) -> None:
    with Store.open(load_config(config_path).store.url) as store:
        found = ledger(store, BUDGET)
    assert len(found.deployments) == 2
    assert found.pages
    named = [found.deployments[number].name for number, _ in found.pages[0].members]
    assert named[0] == "broken"
    assert found.pages[0].evidence >= BUDGET.threshold
    assert all(page.at > LIVE for page in found.pages)
    assert found.evidence < BUDGET.threshold


def test_the_command_shows_it_and_refuses_what_is_no_budget(config_path: Path) -> None:
    done = CliRunner().invoke(pitfalls, ["monitor", "fleet", "--config", str(config_path), "--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert (document["members"], document["threshold"]) == (2, 90.0)
    assert document["pages"][0]["deployments"][0]["name"] == "broken"
    shown = CliRunner().invoke(pitfalls, ["monitor", "fleet", "--config", str(config_path)])
    assert "2 deployments" in shown.stdout
    assert "Page at" in shown.stdout
    wrong = CliRunner().invoke(pitfalls, ["monitor", "fleet", "--config", str(config_path), "--page", "often"])
    assert wrong.exit_code == 2
