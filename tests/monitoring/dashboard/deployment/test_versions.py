from __future__ import annotations

from dataclasses import replace

from monitoring.dashboard.deployment.versions import versions_table
from monitoring.dashboard.stores.roster import entry_of
from monitoring.dashboard.view.history import HEADLINES
from monitoring.store import Store
from tests.dashboard_store import NOW


def test_the_deployments_of_a_model_stand_side_by_side(shared_store: Store) -> None:
    first, second = shared_store.overview.summaries()
    newer = replace(second, record=replace(second.record, version=2))
    read = shared_store.overview.histories((1, 2), latest=30, watches=HEADLINES, scored=7)
    found = [(entry_of("shop", one, NOW), read[one.number]) for one in (newer, first)]
    table = versions_table(found, first.number, NOW)
    assert table is not None
    assert [row[0].text for row in table.rows] == ["parcels v2", "flights v1 (this one)"]
    assert [row[0].href for row in table.rows] == ["/d/shop/2", ""]
    assert [row[1].text for row in table.rows] == ["ok", "page"]
    assert all(row[3].drawing is not None for row in table.rows)
    assert {len(row) for row in table.rows} == {len(table.columns)}


def test_one_deployment_has_no_other_to_stand_beside(shared_store: Store) -> None:
    (first, _) = shared_store.overview.summaries()
    read = shared_store.overview.histories((1,), latest=30, watches=HEADLINES, scored=7)
    assert versions_table([(entry_of("shop", first, NOW), read[1])], 1, NOW) is None
    assert [one.number for one in shared_store.overview.summaries("parcels")] == [2]
    assert shared_store.overview.summaries("none") == ()
