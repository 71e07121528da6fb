"""The addresses of a deployment's rollouts."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from monitoring.dashboard.access.access import WITH_PICTURES
from monitoring.dashboard.incident.endpoints import NO_ROWS
from monitoring.dashboard.incident.example_rows import RowsGroup, rows_groups
from monitoring.dashboard.incident.outcomes import NO_CONFIG
from monitoring.dashboard.incident.rows import MOST_INPUTS
from monitoring.dashboard.rollouts.rollout import RolloutView, read_rollout
from monitoring.dashboard.stores.stores import StoredDeployment, Stores, existing
from monitoring.dashboard.view.endpoint import GetStores, Turns, ViewEndpoint
from monitoring.dashboard.view.requests import DEPLOYMENT, place_of
from monitoring.dashboard.view.responses import page_answer
from monitoring.dashboard.view.table import TableView
from monitoring.dashboard.view.words import name_of, zone_words
from monitoring.errors import PitfallsError
from monitoring.records import RolloutRecord
from monitoring.rollout.disagreement_rows import DisagreementRows, read_disagreements
from monitoring.watches.descriptions import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class DisagreementsView:
    """Everything that the page shows; `problem` says why there are no rows."""

    address: str
    parent: str
    name: str
    number: int
    title: str
    groups: tuple[RowsGroup, ...]
    problem: tuple[str, ...]
    timezone: str

    @property
    def tables(self) -> tuple[TableView, ...]:
        """Every table of the page."""
        return tuple(group.table for group in self.groups if group.table is not None)


def read_disagreements_page(deployment: StoredDeployment, number: int, *, whole: bool) -> DisagreementsView:
    """The page of some rows on which two versions disagree, which are read from the traffic."""
    records = deployment.store.rollouts.latest(deployment.summary.record.called)
    record = existing("rollout", next((record for record in records if record.number == number), None), str(number))
    problem: tuple[str, ...] = ()
    disagreements = None
    if deployment.config is None:
        problem = (NO_CONFIG,)
    elif record.mode == "split":
        problem = ("In a split each row is answered by one version alone.",)
    else:
        try:
            disagreements = read_disagreements(deployment.config, deployment.store, record, deployment.clock)
        except PitfallsError as error:
            problem = tuple(str(error).splitlines())
    return DisagreementsView(
        address=f"{deployment.address}/versions/{number}/rows",
        parent=deployment.address,
        name=printable(name_of(deployment.summary)),
        number=number,
        title=f"Rows on which versions {record.champion} and {record.candidate} disagree",
        groups=()
        if disagreements is None
        else _groups(disagreements, record, deployment, None if whole else MOST_INPUTS),
        problem=problem,
        timezone=zone_words(deployment.summary),
    )


def _groups(
    disagreements: DisagreementRows, record: RolloutRecord, deployment: StoredDeployment, most: int | None
) -> tuple[RowsGroup, ...]:
    inputs = [feature.name for feature in disagreements.spec.features if feature.name not in disagreements.texts][:most]
    named = (
        ("worse", f"Version {record.candidate} has the larger loss", disagreements.worse),
        ("better", f"Version {record.candidate} has the smaller loss", disagreements.better),
        ("unlabelled", "No label yet: the largest difference that one could make", disagreements.unlabelled),
    )
    loss = "" if record.result is None else record.result.loss
    return rows_groups(named, disagreements, inputs, deployment.summary.zone, loss)


def rollout_routes(stores: GetStores) -> list[Route]:
    """The routes of a deployment's rollouts: the last one, each by its number, and its rows."""
    rollout_path = f"{DEPLOYMENT}/versions/{{rollout:count}}"
    views: list[ViewEndpoint[Any]] = [
        ViewEndpoint(path=f"{rollout_path}/rows", stores=stores, read=_read_rows, show=_show_rows, turns=Turns()),
        ViewEndpoint(path=rollout_path, stores=stores, read=_read, show=_show),
        ViewEndpoint(path=f"{DEPLOYMENT}/versions", stores=stores, read=_read, show=_show),
    ]
    return [route for view in views for route in view.routes()]


def _read(stores: Stores, request: Request, rows: int | None) -> RolloutView:
    deployment = stores.deployment(place_of(request))
    file = deployment.file
    command = "" if file is None else shlex.join(("pitfalls", "rollout", "plan", "--config", str(file.path)))
    return read_rollout(deployment, request.path_params.get("rollout"), whole=rows is None, command=command)


def _show(request: Request, view: RolloutView) -> Response:
    return page_answer("versions", view=view, may_see_rows=request.state.may_see_rows)


def _read_rows(stores: Stores, request: Request, rows: int | None) -> DisagreementsView:
    if not request.state.may_see_rows:
        raise HTTPException(403, NO_ROWS)
    return read_disagreements_page(
        stores.deployment(place_of(request)), request.path_params["rollout"], whole=rows is None
    )


def _show_rows(_request: Request, view: DisagreementsView) -> Response:
    return page_answer("disagreements", view=view, headers=WITH_PICTURES)
