"""The page on which windows of the traffic are made the new normal of a deployment, or the former baseline again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from monitoring.config import load_config
from monitoring.dashboard.access.access import cookie_of
from monitoring.dashboard.stores.candidates import Place
from monitoring.dashboard.view.endpoint import GetStores
from monitoring.dashboard.view.requests import DEPLOYMENT, MOST_ACTION_BYTES, form_of, incident_of, place_of
from monitoring.dashboard.view.responses import NAME_COOKIE, NOBODY, led_to, page_answer, require_sure
from monitoring.dashboard.view.words import name_of
from monitoring.errors import BadInput, PitfallsError
from monitoring.onboarding.rebaseline import NewNormal, OneAtATime, RebaselineResult, rebaseline, undo_rebaseline
from monitoring.records import IncidentRecord, Rebaseline
from monitoring.reports.sections.formatting import format_moment, format_window
from monitoring.sentences.incident_text import cause_line
from monitoring.store.overview import DeploymentSummary
from monitoring.timestamps import parse_moment
from monitoring.watches.descriptions import printable
from monitoring.watches.embedding import Embedder

#: How a form writes a time, in the deployment's zone.
FORM: Final = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True, slots=True, kw_only=True)
class RebaselineForm:
    """What a person has filled in, as text: `start` and `end` in the deployment's zone; `sure` is the tick."""

    start: str = ""
    end: str = ""
    reason: str = ""
    by: str = ""
    sure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RebaselineView:
    """Everything that the page shows.

    Attributes:
        refusal: Why it cannot be done here; empty where it can.
        problem: Why it was not done, in lines; empty where nothing was tried.
    """

    address: str
    parent: str
    name: str
    incident: int | None
    form: RebaselineForm
    refusal: str
    problem: tuple[str, ...]
    done: tuple[str, ...]
    closes: tuple[str, ...]
    standing: str
    timezone: str

    @property
    def back(self) -> str:
        """The path that it was opened from."""
        return self.parent if self.incident is None else f"{self.parent}/incidents/{self.incident}"


def rebaseline_view(
    summary: DeploymentSummary,
    parent: str,
    incident: IncidentRecord | None,
    changes: Sequence[Rebaseline],
    form: RebaselineForm,
) -> RebaselineView:
    """The page, before anything was tried. `form`: what the form has; times that are empty are filled in."""
    zone = ZoneInfo(summary.record.timezone)
    standing = [change for change in changes if change.undone_at is None]
    return RebaselineView(
        address=f"{parent}/rebaseline",
        parent=parent,
        name=printable(name_of(summary)),
        incident=None if incident is None else incident.number,
        form=_filled(form, summary, incident, zone),
        refusal="",
        problem=(),
        done=(),
        closes=tuple(
            f"#{incident.number} {cause_line(incident)}, opened {format_moment(incident.opened_at, zone)}"
            for incident in summary.incidents
        ),
        standing=_words(standing[-1], zone) if standing else "",
        timezone=printable(summary.record.timezone),
    )


def time_of(text: str, name: str, zone: ZoneInfo) -> datetime:
    """A time of the form.

    >>> time_of("2026-03-01T06:30", "From", ZoneInfo("UTC")).isoformat()
    '2026-03-01T06:30:00+00:00'
    """
    try:
        return parse_moment(text, zone)
    except ValueError:
        raise BadInput(
            f"{name} is not a time.", got=printable(text) or "nothing", expected="YYYY-MM-DDTHH:MM", fix="Correct it."
        ) from None


def _filled(
    form: RebaselineForm, summary: DeploymentSummary, incident: IncidentRecord | None, zone: ZoneInfo
) -> RebaselineForm:
    """The form with the windows since the incident began, up to the last one judged."""
    if summary.last is None:
        return form
    first = summary.last[0] if incident is None else incident.window_start
    start, end = (f"{at.astimezone(zone):{FORM}}" for at in (first, summary.last[1]))
    return replace(form, start=form.start or start, end=form.end or end)


def _words(change: Rebaseline, zone: ZoneInfo) -> str:
    closed = f" It closed {', '.join(f'#{number}' for number in change.closed)}." if change.closed else ""
    return (
        f"Made of the windows {format_window(change.start, change.end, zone)} on {format_moment(change.at, zone)} by "
        f"{printable(change.by)}: {printable(change.reason, 300)} Windows from {format_moment(change.since, zone)} on "
        f"are judged against it.{closed}"
    )


class Rebaselining:
    """Makes new baselines, one at a time.

    Args:
        embedder: Makes the function that embeds tensors; None where there is no framework for it.
    """

    def __init__(self, stores: GetStores, one_at_a_time: OneAtATime, embedder: Embedder | None = None) -> None:
        self._stores = stores
        self._embedder = embedder
        self._one_at_a_time = one_at_a_time
        self._done: dict[Place, tuple[str, ...]] = {}

    def view(self, place: Place, incident: int | None, form: RebaselineForm) -> RebaselineView:
        """The page."""
        deployment = self._stores().deployment(place)
        store, number = deployment.store, deployment.number
        opened = None if incident is None else store.incidents.get(number, incident)
        view = rebaseline_view(deployment.summary, deployment.address, opened, store.rebaselines.read(number), form)
        try:
            self._path(place)
        except BadInput as error:
            return replace(view, refusal=f"{error.what} {error.fix}")
        return replace(view, done=self._done.get(place, ()))

    def make(self, place: Place, form: RebaselineForm) -> None:
        """Make the windows that a form names the new normal. Cost: reading them, and a fit; up to minutes."""
        path = self._path(place)
        require_sure({"sure": "yes" * form.sure})
        config = load_config(path)
        zone = ZoneInfo(config.windows.timezone)
        new_normal = NewNormal(
            start=time_of(form.start, "From", zone),
            end=time_of(form.end, "To", zone),
            since=None,
            reason=form.reason.strip(),
            by=form.by.strip() or NOBODY,
        )
        with self._one_at_a_time.change():
            done = rebaseline(path, config, new_normal, clock=self._stores().clock, embedder=self._embedder)
        self._done[place] = _sentences(done, zone)

    def undo(self, place: Place, form: RebaselineForm) -> None:
        """Go back to the baseline before the last one, with its evidence."""
        path = self._path(place)
        require_sure({"sure": "yes" * form.sure})
        with self._one_at_a_time.change():
            undone = undo_rebaseline(path, by=form.by.strip() or NOBODY, clock=self._stores().clock)
        since = f"{undone.since:%Y-%m-%d %H:%M} UTC"
        line = f"The baseline is the former one again: windows from {since} on are judged again by the next run."
        self._done[place] = (line,)

    def _path(self, place: Place) -> Path:
        """The file of a deployment's config."""
        deployment = self._stores().deployment(place)
        if deployment.file is not None:
            return deployment.file.path
        raise BadInput(
            "The dashboard does not have the config of this deployment.",
            got=deployment.summary.record.called,
            expected="a deployment whose config was given with --config or --configs",
            fix="Use `pitfalls monitor rebaseline` where the config is.",
        )


def rebaseline_form(fields: Mapping[str, str]) -> RebaselineForm:
    """What was filled in.

    >>> rebaseline_form({"reason": "new prices", "sure": "yes"}).sure
    True
    """
    names = ("start", "end", "reason", "by")
    return RebaselineForm(**{name: fields.get(name, "") for name in names}, sure=fields.get("sure") == "yes")


def _sentences(done: RebaselineResult, zone: ZoneInfo) -> tuple[str, ...]:
    closed = f" Closed: {', '.join(f'#{number}' for number in done.closed)}." if done.closed else ""
    sentence = (
        f"New baseline: {done.rows:,} rows, {done.labels:,} with labels. Windows are judged against it from "
        f"{done.since.astimezone(zone):%Y-%m-%d %H:%M} on.{closed}"
    )
    return (sentence, *done.notes)


def rebaseline_routes(rebaselining: Rebaselining) -> list[Route]:
    """``/d/STORE/NUMBER/rebaseline?incident=N``: makes windows the new normal, or the former baseline again."""

    async def form(request: Request) -> Response:
        place, incident = place_of(request), incident_of(request)
        if request.method == "GET":
            empty = RebaselineForm(by=unquote(cookie_of(request.headers, NAME_COOKIE)))
            view = await run_in_threadpool(rebaselining.view, place, incident, empty)
            return page_answer("rebaseline", view=view, may_act=request.state.may_act)
        fields = await form_of(request, MOST_ACTION_BYTES)
        filled, undo = rebaseline_form(fields), fields.get("undo") == "yes"
        change = rebaselining.undo if undo else rebaselining.make
        try:
            await run_in_threadpool(change, place, filled)
        except PitfallsError as error:
            view = await run_in_threadpool(rebaselining.view, place, incident, filled)
            view = replace(view, problem=tuple(str(error).splitlines()))
            return page_answer("rebaseline", 400, view=view, may_act=True)
        return led_to(f"{request.url.path}?{request.url.query}", request, filled.by.strip())

    return [Route(f"{DEPLOYMENT}/rebaseline", form, methods=["GET", "POST"])]
