"""The pages of one incident as functions of the stores, and what people do from them."""

from __future__ import annotations

from dataclasses import dataclass

from monitoring.actions.perform import perform
from monitoring.dashboard.history import Drawn, HistoryRange, read_history, with_scores
from monitoring.dashboard.views.incident_page.incident import (
    WINDOWS_AFTER,
    WINDOWS_BEFORE,
    IncidentView,
    incident_view,
)
from monitoring.dashboard.views.incident_page.rows import RowsView, rows_view
from monitoring.dashboard.views.incident_page.subgroups import subgroup_views
from monitoring.dashboard.views.outcomes import OutcomesPage, OutcomesView, outcome_views
from monitoring.dashboard.views.overview import name_of
from monitoring.dashboard.web.pages import TABLE_ROWS, Pages, known
from monitoring.errors import PitfallsError
from monitoring.jobs.examples.incident_rows import read_incident_rows
from monitoring.jobs.examples.outcomes import read_outcomes
from monitoring.jobs.subgroups.subgroup_rows import read_subgroups
from monitoring.records import IncidentAction, IncidentRecord
from monitoring.watches.descriptions import printable

#: Why the rows of a deployment cannot be read.
NO_CONFIG = "The dashboard does not have the config of this deployment: give it with --config or --configs."


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentPages:
    """The pages of incidents; `pages` are those of their stores."""

    pages: Pages

    def incident(self, source: str, number: int, incident: int, *, whole: bool = False) -> IncidentView:
        """The page of an incident.

        Args:
            source: The store's name.
            number: The deployment's number.
            incident: The incident's number.
            whole: Whether its tables have all windows that are shown.

        Returns:
            The page; BadInput says that there is no such deployment or incident.
        """
        store, summary = self.pages.find(source, number)
        same = next((one for one in store.incidents(number) if one.number == incident), None)
        found = known("incident", same, str(incident))
        until = found.window_start + WINDOWS_AFTER * (found.window_end - found.window_start)
        near = store.recent_windows(number, latest=WINDOWS_AFTER, before=until)
        after = sum(one.start >= found.window_start for one in near)
        extent = HistoryRange(
            latest=WINDOWS_BEFORE + after,
            before=until,
            table_rows=None if whole else TABLE_ROWS,
        )
        drawn = Drawn(watches=("error", found.watch, f"estimated_{found.watch}"), part=found.slice)
        history = with_scores(store, read_history(store, summary, extent), extent, drawn)
        config = self.pages.source(source).config_of(summary.record.called)
        outbox = store.outbox(number, incident)
        return incident_view(found, history, f"/d/{source}/{number}", self.pages.clock(), config, outbox)

    def rows(self, source: str, number: int, incident: int, *, whole: bool = False) -> RowsView:
        """The page of an incident's rows.

        Args:
            source: The store's name.
            number: The deployment's number.
            incident: The incident's number.
            whole: Whether its tables have all inputs.

        Returns:
            The page, with the reason where rows cannot be read; BadInput says that there is no such incident.
        """
        store, summary = self.pages.find(source, number)
        found, parent = store.incident(number, incident), f"/d/{source}/{number}"
        config = self.pages.source(source).config_of(summary.record.called)
        if config is None:
            return rows_view(found, summary, parent, (NO_CONFIG,))
        windows = store.recent_windows(number, latest=WINDOWS_AFTER, before=found.closed_at)
        since = [one for one in windows if one.start >= found.window_start]
        try:
            rows = read_incident_rows(config, summary.record.version, found, self.pages.clock)
            outcomes = read_outcomes(config, summary.record.version, since, ("", found.slice), self.pages.clock)
            subgroups = read_subgroups(config, summary.record.version, since, found.scored_by, self.pages.clock)
        except PitfallsError as error:
            return rows_view(found, summary, parent, tuple(str(error).splitlines()))
        views = (*subgroup_views(subgroups), *outcome_views(outcomes))
        return rows_view(found, summary, parent, rows, outcomes=views, whole=whole)

    def outcomes(self, source: str, number: int, latest: int) -> OutcomesPage:
        """The page of a deployment's answers and labels in its last windows.

        Args:
            source: The store's name.
            number: The deployment's number.
            latest: How many windows.

        Returns:
            The page, with the reason where they cannot be read; BadInput says that there is no such deployment.
        """
        store, summary = self.pages.find(source, number)
        config, parent = self.pages.source(source).config_of(summary.record.called), f"/d/{source}/{number}"
        found: tuple[OutcomesView, ...] = ()
        problem: tuple[str, ...] = ()
        shown = 0
        if config is None:
            problem = (NO_CONFIG,)
        else:
            windows = store.recent_windows(number, latest=latest)
            try:
                read = read_outcomes(config, summary.record.version, windows, ("",), self.pages.clock)
                found, shown = outcome_views(read), len(read[0].windows)
            except PitfallsError as error:
                problem = tuple(str(error).splitlines())
        return OutcomesPage(
            address=f"{parent}/outcomes",
            parent=parent,
            name=printable(name_of(summary)),
            outcomes=found,
            problem=problem,
            shown=shown,
            judged=store.judged(number),
        )

    def act(self, source: str, number: int, incident: int, action: IncidentAction) -> IncidentRecord:
        """Act on an incident. Raises BadInput if there is none, or the action does not fit it."""
        store, _ = self.pages.find(source, number)
        return store.act(number, incident, action)

    def run(self, source: str, number: int, incident: int, asked: tuple[str, str]) -> None:
        """Perform an action of the config, by its name and for whom. Raises BadInput if there is no such action."""
        store, summary = self.pages.find(source, number)
        config = self.pages.source(source).config_of(summary.record.called)
        name, by = asked
        found = known("action", config if config is not None and config.action else None, name)
        perform(found, store, (number, incident), name, by=by, clock=self.pages.clock)
