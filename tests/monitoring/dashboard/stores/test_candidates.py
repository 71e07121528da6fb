from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitoring.dashboard.stores.candidates import PAGE_ROWS, Candidate, Question, candidates, chosen, counts, page_of
from monitoring.dashboard.stores.named_store import Ownership
from monitoring.store import Store
from tests.dashboard_store import NOW

OWNERS = {"flights": Ownership(team="travel", tags=("eu", "batch")), "nobody": Ownership(team="none")}


@pytest.fixture(scope="module")
def found(shared_store: Store) -> tuple[Candidate, ...]:
    return candidates("shop", shared_store.overview.outlines(), OWNERS, NOW)


def names(found: tuple[Candidate, ...]) -> list[str]:
    return [one.outline.name for one in found]


def test_the_worst_deployment_comes_first(found: tuple[Candidate, ...]) -> None:
    ordered = chosen(tuple(reversed(found)), Question())
    assert [(one.outline.model, one.state) for one in ordered] == [("flights", "page"), ("parcels", "ok")]
    assert counts(found) == (("page", 1), ("failing", 1), ("notice", 1), ("ok", 1))


@pytest.mark.parametrize(
    ("question", "models"),
    [
        (Question(text="PARC"), ["parcels"]),
        (Question(text="Travel"), ["flights"]),
        (Question(text="bundle at ua"), ["flights"]),
        (Question(state="ok"), ["parcels"]),
        (Question(text="flights", state="ok"), []),
        (Question(team="travel"), ["flights"]),
        (Question(team="trave"), []),
        (Question(tag="batch"), ["flights"]),
        (Question(tag="bat"), []),
    ],
)
def test_deployments_are_found_by_name_error_state_team_and_tag(
    found: tuple[Candidate, ...], question: Question, models: list[str]
) -> None:
    assert [one.outline.model for one in chosen(found, question)] == models


def test_a_deployment_whose_incident_has_the_text_is_found(found: tuple[Candidate, ...]) -> None:
    assert names(chosen(found, Question(text="overconfident"), {("shop", 1)})) == ["flights"]
    assert chosen(found, Question(text="overconfident"), {("other", 1)}) == ()


def test_groups_stand_together_by_the_worst_of_them(found: tuple[Candidate, ...]) -> None:
    page, ok = chosen(found, Question())
    east, west = (
        replace(ok, outline=replace(ok.outline, number=number, name=name, model=model))
        for number, name, model in ((3, "east", "flights"), (4, "a", "others"))
    )
    assert names(chosen((west, ok, east, page), Question(group="model"))) == ["flights", "east", "a", "parcels"]
    owned = replace(ok, ownership=Ownership(team="post"))
    assert names(chosen((replace(page, ownership=Ownership()), owned), Question(group="team"))) == [
        "parcels",
        "flights",
    ]


def test_pages_that_somebody_has_seen_come_after_those_that_nobody_has(found: tuple[Candidate, ...]) -> None:
    page = found[0]
    opened = page.outline.incidents[0]
    seen = replace(opened, acknowledged_at=NOW)
    snoozed = replace(opened, snoozed_until=NOW + timedelta(hours=1))
    outlines = [
        replace(page.outline, name=name, incidents=(incident,))
        for name, incident in (("a", seen), ("b", snoozed), ("c", replace(opened, opened_at=NOW)), ("d", opened))
    ]
    ordered = chosen(candidates("shop", outlines, {}, NOW), Question())
    assert names(ordered) == ["c", "d", "a", "b"]
    assert [(one.acknowledged, one.snoozed) for one in ordered] == [(False, 0), (False, 0), (True, 0), (True, 1)]


def test_rows_come_page_by_page(found: tuple[Candidate, ...]) -> None:
    many = found * PAGE_ROWS
    assert len(page_of(many, 1)) == len(page_of(many, 2)) == PAGE_ROWS
    assert page_of(many, 3) == ()
