"""Rows on which two versions disagree, with their images and texts; and rollouts of a deployment never judged."""

from __future__ import annotations

import shutil
from base64 import b64decode
from pathlib import Path

from monitoring.config.files import ConfigFile
from monitoring.dashboard.rollouts.endpoints import read_disagreements_page
from monitoring.dashboard.stores.named_store import NamedStore
from monitoring.dashboard.stores.stores import Stores
from monitoring.deployment.deployment import enter_deployment
from monitoring.store.store import Store
from tests.dashboard_store import described_stores
from tests.described_deployment import FIRST, WORDS
from tests.monitoring.dashboard.web.test_app import client_of
from tests.monitoring.rollout.shadow.worlds import BEGIN, END, World, world_of
from tests.monitoring.rollout.two_bundles import logged

SECTION = """
[rollout]
[rollout.decide]
guards = []
horizon = "1d"
"""


def shadowed(world: World) -> int:
    """A rollout whose candidate answers the opposite; its number."""
    record, world.now = world.begun(), END
    worker = world.worker(record)
    worker.work()
    worker.close()
    return record.number


def test_rows_have_their_images_and_texts(tmp_path: Path) -> None:
    stores = described_stores(tmp_path, sections=SECTION)
    deployment = stores.deployment(("shop", 1))
    assert deployment.config is not None
    shutil.copytree(tmp_path / "models/parcels/1", tmp_path / "models/parcels/2")
    formulas = {1: logged, 2: lambda rows: 1.0 - logged(rows)}
    number = shadowed(World(config=deployment.config, store=deployment.store, formulas=formulas, now=FIRST))
    worse, better, _ = read_disagreements_page(deployment, number, whole=True).groups
    for group in (worse, better):
        assert len(group.pictures) == len(group.quotes) == 6
        assert b64decode(group.pictures[0].address.partition(",")[2])[:4] == b"\x89PNG"
        assert {quote.text for quote in group.quotes} <= set(WORDS)
        assert "; the other " in group.quotes[0].words
    page = client_of(stores).get(f"/d/shop/1/versions/{number}/rows").text
    assert page.count("<blockquote>") == 12
    assert page.count('<img src="data:image/png') == 12
    stores.stores[0].close()


def test_a_deployment_that_was_never_judged_has_the_page_of_its_rollouts(tmp_path: Path) -> None:
    folder = tmp_path / "world"
    folder.mkdir()
    with Store.open(f"sqlite:///{folder}/pitfalls.db") as store:
        world = world_of(folder, store, {1: logged, 2: logged}, SECTION)
    (folder / "pitfalls.db").unlink()  # that of an earlier release, which has judged
    with Store.open(world.config.store.url) as world.store:
        assert enter_deployment(world.config, world.store, BEGIN) == ""
        number = shadowed(world)
        assert enter_deployment(world.config, world.store, END) == ""
        assert len(world.store.deployments.all()) == 1
    file = ConfigFile(path=folder / "monitor.toml", config=world.config)
    named = NamedStore(name="shop", url=world.config.store.url, files=(file,))
    client = client_of(Stores(stores=(named,), files=(file,), clock=lambda: END))
    assert "Version 2 against version 1" in client.get("/d/shop/1/versions").text
    assert 'href="/d/shop/1/versions"' in client.get("/d/shop/1").text
    assert client.get("/").status_code == client.get(f"/d/shop/1/versions/{number}/rows").status_code == 200
    named.close()


def test_a_rollout_whose_baseline_the_monitor_cannot_use_goes_on_without_a_page(tmp_path: Path) -> None:
    stores = described_stores(tmp_path)
    shutil.copytree(tmp_path / "models/parcels/1", tmp_path / "models/parcels/2")
    config = stores.deployment(("shop", 1)).config
    assert config is not None
    with Store.open(f"sqlite:///{tmp_path}/other.db") as store:
        assert "The baseline is too short" in enter_deployment(config, store, BEGIN)
        assert store.deployments.all() == ()
    stores.stores[0].close()
