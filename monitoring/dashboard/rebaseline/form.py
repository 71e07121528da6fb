"""The forms by which a deployment gets a new baseline of its own traffic, or the former one again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from monitoring.config import load_config
from monitoring.dashboard.rebaseline.rebaseline import RebaselineForm, RebaselineView, rebaseline_view, time_of
from monitoring.dashboard.stores.candidates import Place
from monitoring.dashboard.view.endpoint import GetStores
from monitoring.dashboard.view.responses import NOBODY, require_sure
from monitoring.errors import BadInput
from monitoring.jobs.rebaseline.one_at_a_time import OneAtATime
from monitoring.jobs.rebaseline.rebaseline import NewNormal, RebaselineResult, rebaseline, undo_rebaseline
from monitoring.watches.embedding import Embedder


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
        """The page.

        Returns:
            The page. BadInput says that there is no such deployment or incident.
        """
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
        """Make the windows that a form names the new normal. Cost: reading them, and a fit; up to minutes.

        Raises:
            BadInput: It was not confirmed, or what it says cannot be done.
            CannotRun: A run is at work, or another new baseline is being made. Nothing was changed then.
        """
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
        """Go back to the baseline before the last one, with its evidence.

        Raises:
            BadInput: It was not confirmed, or there is none to undo.
            CannotRun: A run is at work, or another new baseline is being made. Nothing was changed then.
        """
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
