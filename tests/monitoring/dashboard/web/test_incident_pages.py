from __future__ import annotations

import pytest

from monitoring.dashboard.web.incident_pages import IncidentPages
from monitoring.dashboard.web.pages import Pages
from monitoring.errors import BadInput
from monitoring.records import IncidentAction
from monitoring.store import Store
from tests.dashboard_store import NOW


def test_the_page_of_an_incident_is_found(pages: Pages) -> None:
    assert IncidentPages(pages=pages).incident("shop", 1, 1).number == 1


@pytest.mark.parametrize(("source", "number", "incident"), [("none", 1, 1), ("shop", 9, 1), ("shop", 1, 9)])
def test_what_is_not_there_is_said(pages: Pages, source: str, number: int, incident: int) -> None:
    with pytest.raises(BadInput, match="There is no such"):
        IncidentPages(pages=pages).incident(source, number, incident)


def test_acting_changes_the_store_and_the_fingerprint(pages: Pages, url: str) -> None:
    before = pages.fingerprint()
    action = IncidentAction(at=NOW, by="operator", kind="acknowledge")
    assert IncidentPages(pages=pages).act("shop", 1, 1, action).acknowledged_at == NOW
    assert pages.fingerprint() != before
    with Store.open(url) as store:
        assert store.incidents(1)[0].state == "acknowledged"


def test_what_people_were_notified_of_is_on_the_page(pages: Pages) -> None:
    view = IncidentPages(pages=pages).incident("shop", 1, 1)
    assert view.notifications is not None
    assert [row[1].text for row in view.notifications.rows] == ["#1 open"]
