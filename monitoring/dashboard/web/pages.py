"""The pages as functions of the stores: each reads a bounded number of rows, and gives a view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from monitoring.config.files import ConfigFile
from monitoring.dashboard.history import HEADLINES, WINDOWS, Drawn, HistoryRange, read_history, with_scores
from monitoring.dashboard.roster import Roster, by_source, mentioning, read_entries, read_roster
from monitoring.dashboard.sources import Source
from monitoring.dashboard.views.candidates import PAGE_ROWS, Question, chosen, counts, page_of
from monitoring.dashboard.views.charts import loss_watches, windows_table
from monitoring.dashboard.views.compare import BASELINE, ComparedSide, CompareView, compare_view
from monitoring.dashboard.views.deployment import DeploymentView, MoreTables, deployment_view
from monitoring.dashboard.views.input import InputView, input_view
from monitoring.dashboard.views.inputs import FIRST_INPUTS, PAGE_INPUTS, InputsView, inputs_view
from monitoring.dashboard.views.jobs import AllJobsView, Jobs, JobsView, config_table, jobs_view
from monitoring.dashboard.views.metrics import Measured, metrics_text
from monitoring.dashboard.views.notifications import Receivers, receivers_of, undelivered_table
from monitoring.dashboard.views.overview import Entry, Failure, Overview, entry_of, overview_row
from monitoring.dashboard.views.runs import all_runs_table
from monitoring.dashboard.views.settings import settings_of, settings_table
from monitoring.dashboard.views.table import TableView
from monitoring.dashboard.views.versions import MOST_VERSIONS, versions_table
from monitoring.dashboard.views.window import WindowView, window_view
from monitoring.errors import BadInput, PitfallsError
from monitoring.jobs.backfill.window_list import list_windows
from monitoring.jobs.data_dictionary import column_notes
from monitoring.reports.drawings.marks import STRIP_WINDOWS
from monitoring.reports.sections.inputs import input_title, inputs_of
from monitoring.store.notifications import OutboxEvent
from monitoring.store.overview import DeploymentSummary, RecentHistory
from monitoring.store.runs import StoredRun
from monitoring.store.store import Store
from monitoring.watches.descriptions import printable

Found = TypeVar("Found")

#: How many windows the page of a deployment may show, and how many it shows first.
WINDOW_CHOICES: Final = (30, 90, 365, 1000)
WINDOWS_SHOWN: Final = 90

#: How many windows or runs a table of a page has; its CSV file has all that are shown, and all runs.
TABLE_ROWS: Final = 30

#: How many runs and notifications the CSV files of all jobs have.
CSV_ROWS: Final = 1000

#: How many windows the table of a small chart of an input has.
INPUT_ROWS: Final = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """The pages of some stores.

    Attributes:
        sources: The stores.
        files: All configs, those that cannot be read among them.
        clock: The time.
        shown_in: The time zone in which the reader wants times; empty: that of each deployment, or UTC.
    """

    sources: tuple[Source, ...]
    files: tuple[ConfigFile, ...] = ()
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    shown_in: str = ""

    def overview(self, question: Question) -> Overview:
        """The overview.

        Args:
            question: What the reader asks for.

        Returns:
            The page; a store that cannot be read is a failure on it.
        """
        now = self.clock()
        roster = read_roster(self.sources, now)
        found = roster.found
        kept = chosen(found, question, mentioning(self.sources, question.text))
        pages = max(1, -(-len(kept) // PAGE_ROWS))
        shown = read_entries(self.sources, page_of(kept, min(question.page, pages)), now, self.shown_in)
        return Overview(
            rows=tuple(overview_row(one, history, now) for one, history in self._histories(shown)),
            failures=self._failures(roster),
            counts=counts(found),
            teams=any(one.ownership.team for one in found),
            snoozed=sum(one.snoozed for one in found),
            total=len(found),
            found=len(kept),
            question=question,
            pages=pages,
            timezone=self.shown_in,
        )

    def metrics(self) -> str:
        """Metrics of every deployment, in Prometheus' text format. Cost: some searches of an index for each."""
        now = self.clock()
        roster = read_roster(self.sources, now)
        found = read_entries(self.sources, roster.found, now)
        last = {name: self.source(name).store().last_windows(some) for name, some in by_source(found).items()}
        measured = [Measured(entry=one, last=last[one.source].get(one.summary.number)) for one in found]
        return metrics_text(measured, self._failures(roster))

    def ready(self) -> bool:
        """Whether there is something to show: a deployment, or configs of which none is unreadable."""
        roster = read_roster(self.sources, self.clock())
        return bool(roster.found) or not any(one.unreadable for one in self._failures(roster))

    def deployment(
        self, source: str, number: int, latest: int = WINDOWS_SHOWN, *, whole: bool = False
    ) -> DeploymentView:
        """The page of a deployment.

        Args:
            source: The store's name.
            number: The deployment's number.
            latest: How many windows it shows.
            whole: Whether its tables have all of them.

        Returns:
            The page; BadInput says that there is no such deployment.
        """
        store, summary = self.find(source, number)
        extent = _extent(latest, whole=whole)
        history = read_history(store, summary, extent)
        config = self.source(source).config_of(summary.record.called)
        columns = column_notes(config)
        worst = inputs_of(history.last, history.baseline, columns)[:FIRST_INPUTS]
        history = with_scores(store, history, extent, Drawn(watches=loss_watches(history), inputs=worst))
        more = MoreTables(
            configuration=settings_of(config), settings=settings_table(config), versions=self._versions(source, summary)
        )
        return deployment_view(history, f"/d/{source}/{number}", self.clock(), more)

    def windows_table(self, source: str, number: int, latest: int) -> TableView:
        """The table of a deployment's last windows alone. Raises BadInput if there is no such deployment."""
        store, summary = self.find(source, number)
        found = store.recent_windows(number, latest=latest)
        return windows_table(found, f"/d/{source}/{number}", summary.zone)

    def inputs(
        self, source: str, number: int, latest: int, asked: tuple[str, int], *, whole: bool = False
    ) -> InputsView:
        """The page of a deployment's inputs, worst first.

        Args:
            source: The store's name.
            number: The deployment's number.
            latest: How many windows it shows.
            asked: A text that the inputs' names have, and the page, from 1.
            whole: Whether its tables have all of these windows.

        Returns:
            The page; BadInput says that there is no such deployment.
        """
        store, summary = self.find(source, number)
        extent = _extent(latest, whole=whole, rows=INPUT_ROWS)
        history = read_history(store, summary, extent)
        text = asked[0].casefold()
        columns = column_notes(self.source(source).config_of(summary.record.called))
        every = inputs_of(history.last, history.baseline, columns)
        found = tuple(one for one in every if text in f"{input_title(one)} {one.note.description}".casefold())
        page = min(asked[1], max(1, -(-len(found) // PAGE_INPUTS)))
        shown = found[(page - 1) * PAGE_INPUTS : page * PAGE_INPUTS]
        history = with_scores(store, history, extent, Drawn(inputs=shown))
        return inputs_view(history, found, f"/d/{source}/{number}", (asked[0], page))

    def input(self, source: str, number: int, key: str, latest: int, *, whole: bool = False) -> InputView:
        """The page of one input.

        Args:
            source: The store's name.
            number: The deployment's number.
            key: The input's key, as `inputs_of` has it.
            latest: How many windows it shows.
            whole: Whether its tables have all of them.

        Returns:
            The page; BadInput says that there is no such deployment or input.
        """
        store, summary = self.find(source, number)
        extent = _extent(latest, whole=whole)
        history = read_history(store, summary, extent)
        columns = column_notes(self.source(source).config_of(summary.record.called))
        found = {one.key: one for one in inputs_of(history.last, history.baseline, columns)}
        one = known("input", found.get(key), key)
        history = with_scores(store, history, extent, Drawn(inputs=(one,)))
        return input_view(one, history, f"/d/{source}/{number}", self.clock())

    def window(self, source: str, number: int, start: datetime) -> WindowView:
        """The page of a window.

        Args:
            source: The store's name.
            number: The deployment's number.
            start: When the window begins.

        Returns:
            The page; BadInput says that there is no such deployment or window.
        """
        store, summary = self.find(source, number)
        found = known("window", store.window(number, start), start.isoformat())
        before = store.recent_windows(number, latest=1, before=start)
        later = store.recent_windows(number, latest=2, before=found.end + (found.end - found.start))
        after = [one.start for one in later if one.start > start]
        return window_view(
            found,
            summary,
            store.baseline(number),
            f"/d/{source}/{number}",
            (before[0].start if before else None, after[0] if after else None),
            store.measured(number),
        )

    def compare(self, source: str, number: int, a: datetime | str, b: datetime | str) -> CompareView:
        """The page that compares two windows, or a window with the baseline.

        Args:
            source: The store's name.
            number: The deployment's number.
            a: When a window begins, `BASELINE`, or empty for the last window.
            b: The same of what it is compared with; empty for the baseline.

        Returns:
            The page; BadInput says that there is no such deployment or window.
        """
        store, summary = self.find(source, number)
        recent = store.recent_windows(number, latest=WINDOWS_SHOWN)
        latest = recent[-1].start if recent else BASELINE
        first, second = (
            ComparedSide.of(
                None if isinstance(one, str) else known("window", store.window(number, one), one.isoformat()),
                summary.zone,
            )
            for one in (a or latest, b or BASELINE)
        )
        return compare_view((first, second), summary, store.baseline(number), recent, f"/d/{source}/{number}")

    def runs(self, source: str, number: int, *, whole: bool = False) -> JobsView:
        """The page of a deployment's jobs, or all that are kept. Raises BadInput if there is no such deployment."""
        store, summary = self.find(source, number)
        config, now = self.source(source).config_of(summary.record.called), self.clock()
        jobs = Jobs(
            runs=store.runs(number) if whole else store.runs(number, latest=TABLE_ROWS),
            outbox=store.outbox(number)[::-1],
            check=store.check(number),
            lease=next((one for one in store.leases() if one.deployment == number), None),
            config=config,
            table_rows=None if whole else TABLE_ROWS,
            windows=list_windows(config, store, number, latest=CSV_ROWS if whole else TABLE_ROWS, now=now),
            backfills=store.backfills(number),
            added_labels=store.added_labels(number, latest=None if whole else TABLE_ROWS),
        )
        return jobs_view(jobs, summary, f"/d/{source}/{number}", now)

    def jobs(self, *, failed: bool = False, whole: bool = False) -> AllJobsView:
        """The page of all jobs.

        Args:
            failed: Only the runs that ended with an error.
            whole: Whether its tables have more than fits on a page.

        Returns:
            The page; a store that cannot be read is left out, as the overview says that it cannot.
        """
        most = CSV_ROWS if whole else TABLE_ROWS
        runs: list[tuple[str, StoredRun]] = []
        events: list[tuple[str, Receivers, OutboxEvent]] = []
        for source in self.sources:
            try:
                store = source.store()
                runs += [(f"/d/{source.name}/{one.deployment}", one) for one in store.recent_runs(most, failed=failed)]
                receivers = {name: words for one in source.files for name, words in receivers_of(one.config).items()}
                events += [(f"/d/{source.name}/{number}", receivers, one) for number, one in store.undelivered(most)]
            except PitfallsError:
                continue
        runs.sort(key=lambda one: one[1].run.started_at, reverse=True)
        events.sort(key=lambda one: one[2].at, reverse=True)
        known = sorted(self.files, key=lambda one: (not one.problem, one.path))
        zone = ZoneInfo(self.shown_in or "UTC")
        return AllJobsView(
            runs=all_runs_table(runs[:most], zone, failed=failed),
            notifications=undelivered_table(events[:most], zone),
            configs=config_table([(one.name, one.config, one.problem) for one in known[:most]], len(known)),
            failed=failed,
            timezone=zone.key,
        )

    def fingerprint(self) -> str:
        """A text that changes with every run, window and action in any of the stores."""
        found = []
        for source in self.sources:
            try:
                found.append(source.store().fingerprint())
            except PitfallsError as error:
                found.append(str(error))
        return "\n".join(found)

    def _failures(self, roster: Roster) -> tuple[Failure, ...]:
        """What cannot be read, or failed: configs, then stores."""
        return (
            *(
                Failure(config=one.name, reason=one.problem, unreadable=one.config is None)
                for one in self.files
                if one.problem
            ),
            *(Failure(config=_named(source), reason=str(error)) for source, error in roster.unreadable),
        )

    def _histories(self, shown: Sequence[Entry]) -> list[tuple[Entry, RecentHistory]]:
        read = {
            name: self.source(name)
            .store()
            .recent_histories(of_source, latest=STRIP_WINDOWS, watches=HEADLINES, scored=WINDOWS)
            for name, of_source in by_source(shown).items()
        }
        return [(one, read[one.source][one.summary.number]) for one in shown]

    def _versions(self, source: str, summary: DeploymentSummary) -> TableView | None:
        """The deployments of the same model side by side, those that were run last."""
        now, store = self.clock(), self.source(source).store()
        same = sorted(store.summaries(summary.record.model), key=lambda one: one.used_at, reverse=True)[:MOST_VERSIONS]
        if len(same) < 2:
            return None
        shown = [entry_of(source, replace(one, shown_in=self.shown_in), now) for one in same]
        return versions_table(self._histories(shown), summary.number, now)

    def source(self, name: str) -> Source:
        """A store by its name. Raises BadInput if there is none."""
        return known("store", next((one for one in self.sources if one.name == name), None), name)

    def find(self, source: str, number: int) -> tuple[Store, DeploymentSummary]:
        """A deployment and its store. Raises BadInput if there is none."""
        store = self.source(source).store()
        return store, replace(known("deployment", store.summary(number), str(number)), shown_in=self.shown_in)


def _extent(latest: int, *, whole: bool, rows: int = TABLE_ROWS) -> HistoryRange:
    """The last windows, with the whole tables or their first rows."""
    return HistoryRange(latest=latest, table_rows=None if whole else rows)


def _named(source: Source) -> str:
    return ", ".join(one.name for one in source.files) or source.name


def known(what: str, found: Found | None, got: str) -> Found:
    """What was found. Raises BadInput if that is nothing."""
    if found is None:
        raise BadInput(
            f"There is no such {what}.",
            got=printable(got),
            expected=f"a {what} of this dashboard",
            fix="Go back to the overview and choose from there.",
        )
    return found
