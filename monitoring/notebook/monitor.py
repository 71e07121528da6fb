"""The monitor's commands in Python, for notebooks: a reference table, live tables, and what was found in them."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from monitoring.atomic import scratch_folder
from monitoring.baseline.folder import load_baseline
from monitoring.config import MonitorConfig, load_config, parse_dictionary, read_dictionary
from monitoring.errors import BadInput
from monitoring.jobs.backfill.backfill import backfill
from monitoring.jobs.backfill.window_range import WindowRange
from monitoring.jobs.data_dictionary import column_notes
from monitoring.jobs.init import init_monitor
from monitoring.jobs.places import find_baseline
from monitoring.jobs.report import reference_benchmark, write_reports
from monitoring.jobs.run import RunRequest, RunResult, run_due_windows
from monitoring.jobs.status import status
from monitoring.jobs.table_description import TableDescription, columns_named
from monitoring.notebook.frames import stored
from monitoring.records import IncidentRecord, MonitorStatus, Only, WindowRecord
from monitoring.reports.sections.benchmark import Benchmark
from monitoring.store.store import Store
from monitoring.traffic.column_roles import ColumnRole
from monitoring.watches.descriptions import printable

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from monitoring.jobs.report import Reports
    from monitoring.reports.charts.input import InputPicture

#: Characters of a message that a notebook shows.
_LONGEST = 2_000

#: Fields of several names that may be given as one name.
_TUPLES = frozenset({"scores", "label_columns", "classes", "inputs", "categorical", "ignore", "slices", "class_slices"})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TableVerdicts:
    """What a monitor has found so far.

    Attributes:
        status: all windows and incidents, as they are stored.
        judged: how many windows this run judged.
        benchmark: the model's scores on the reference.
    """

    status: MonitorStatus
    judged: int
    benchmark: Benchmark

    @property
    def windows(self) -> tuple[WindowRecord, ...]:
        """Every window judged, in order of time."""
        return self.status.windows

    @property
    def incidents(self) -> tuple[IncidentRecord, ...]:
        """Every incident, in order of its number."""
        return self.status.incidents

    @property
    def inputs(self) -> tuple[str, ...]:
        """What `plot` draws by name: the inputs that moved most over the last windows first."""
        from monitoring.reports.charts.inputs import LAST_WINDOWS  # noqa: PLC0415 - not needed to judge
        from monitoring.reports.sections.inputs import inputs_of  # noqa: PLC0415 - as above

        found = inputs_of(self.status.windows[-LAST_WINDOWS:], self.status.baseline)
        return tuple(one.name or one.key for one in found)

    @property
    def paged(self) -> bool:
        """Whether a page is not closed yet."""
        return any(i.level == "page" and i.state != "closed" for i in self.incidents)

    @overload
    def plot(self) -> Figure: ...

    @overload
    def plot(self, column: str) -> InputPicture: ...

    def plot(self, column: str | None = None) -> Figure | InputPicture:
        """Losses and evidence window by window, or one input: its value, effect, evidence and alarms.

        Args:
            column: An input, or a column that inputs describe; None: losses and evidence.

        Returns:
            A figure of matplotlib; of an input a picture that a notebook shows.

        Raises:
            BadInput: There is no such input.
        """
        if column is not None:
            from monitoring.reports.charts.input import input_picture  # noqa: PLC0415 - as below

            return input_picture(self.status, column)
        from monitoring.reports.charts.summary import draw_figure  # noqa: PLC0415 - brings matplotlib

        return draw_figure(self.status, self.benchmark)

    def to_pandas(self, table: str = "scores") -> pd.DataFrame:
        """What was judged as a data frame: `scores`, a row for each watch in each window; `windows`; or `incidents`."""
        from monitoring.reports.results_table import results_table  # noqa: PLC0415 - brings pyarrow

        frame: pd.DataFrame = results_table(self.status, table).to_pandas()
        return frame

    def __repr__(self) -> str:
        last = f" to {self.windows[-1].end:%Y-%m-%d %H:%M}" if self.windows else ""
        count = {level: sum(one.level == level for one in self.incidents) for level in ("page", "notice")}
        open_pages = sum(one.level == "page" and one.state != "closed" for one in self.incidents)
        return (
            f"TableVerdicts({printable(self.status.model)}: {len(self.windows)} windows{last}; {count['page']} pages, "
            f"{open_pages} of them open; {count['notice']} notices)"
        )

    def _repr_html_(self) -> str:
        found = self.status
        rows = "".join(
            f"<tr>{''.join(f'<td>{escape(printable(cell, _LONGEST))}</td>' for cell in _cells(incident))}</tr>"
            for incident in found.incidents
        )
        head = "".join(f"<th>{name}</th>" for name in ("level", "window", "cause", "message", "state"))
        table = (
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>" if rows else "<p>No incidents.</p>"
        )
        last = f", to {found.windows[-1].end:%Y-%m-%d %H:%M}" if found.windows else ""
        return (
            f"<p><b>{escape(printable(found.model))}</b>: {len(found.windows)} windows judged{last}, "
            f"{found.coverage.rows:,} rows, {found.coverage.labels:,} labels. Budget of false pages: "
            f"{escape(found.page_budget)}.</p>{table}"
        )


def _cells(incident: IncidentRecord) -> tuple[str, ...]:
    when = f"{incident.window_start:%Y-%m-%d %H:%M}"
    return (incident.level, when, incident.cause, incident.message, incident.state)


class TemporaryFolder:
    """A folder that is deleted when nothing refers to it any more."""

    def __init__(self) -> None:
        held = ExitStack()
        self.path = held.enter_context(scratch_folder())
        weakref.finalize(self, held.close)


class Monitor:
    """Watches live tables against a reference table. Make it with `from_reference`, or `open` a folder again.

    One that `from_reference` made knows its `notes`, and what each of the reference's `columns` was taken for.

    >>> Monitor.from_reference("REF.parquet", event_time="ts", scores=("p",), label="y")  # doctest: +SKIP
    """

    def __init__(
        self,
        config: Path,
        *,
        clock: Callable[[], datetime],
        notes: tuple[str, ...] = (),
        columns: tuple[ColumnRole, ...] = (),
    ) -> None:
        self.config = config
        self.notes = notes
        self.columns = columns
        self._clock = clock
        self._scratch = TemporaryFolder()

    @classmethod
    def from_reference(
        cls,
        reference: Any,
        *,
        out: str | Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        force: bool = False,
        **own: Any,
    ) -> Monitor:
        """A monitor that compares live tables with a reference table.

        Args:
            reference: a path (or pattern), a pandas frame, a pyarrow table, or anything with the Arrow interface:
                predictions on rows that the model was not fitted on.
            out: the monitor's folder; None: one that is deleted with the monitor.
            clock: gives the time.
            force: whether a monitor that is in the folder already is replaced.
            **own: the fields of `TableDescription`: `event_time`, `scores` or `predicted`, `label` and so on;
                `dictionary`, such as ``{"amount": {"unit": "EUR"}}``; `settings`, those of ``monitor.toml`` by section.

        Returns:
            The monitor.

        Raises:
            BadInput: the reference does not fit its description.
            CannotRun: the folder cannot be written.
        """
        unknown = sorted(own.keys() - {field.name for field in fields(TableDescription)})
        if unknown:
            raise BadInput(
                "Unknown fields of a table's description.",
                got=", ".join(unknown),
                expected=", ".join(field.name for field in fields(TableDescription)),
                fix="Name the columns: event_time='ts', scores=('p',), label='y'.",
            )
        said = columns_named(own)
        for name in _TUPLES & said.keys():
            said[name] = (said[name],) if isinstance(said[name], str) else tuple(said[name])
        if "dictionary" in said:
            columns = said["dictionary"]
            is_file = isinstance(columns, str | Path)
            said["dictionary"] = read_dictionary(Path(columns)) if is_file else parse_dictionary(columns)
        table = TableDescription(**said)
        scratch = TemporaryFolder()
        path = stored(
            reference,
            scratch.path / "reference.parquet",
            event_time=table.times,
            ids=table.prediction_id or "prediction_id",
        )
        folder = scratch.path / "table" if out is None else Path(out)
        adopted = init_monitor(path, table, out=folder, clock=clock, force=force)
        made = cls(adopted.config, clock=clock, notes=adopted.notes, columns=adopted.columns)
        made._scratch = scratch
        return made

    @classmethod
    def open(cls, folder: str | Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Monitor:
        """The monitor whose ``monitor.toml`` lies in `folder`."""
        return cls(Path(folder) / "monitor.toml", clock=clock)

    def run(self, live: Any, labels: Any = None) -> TableVerdicts:
        """Judge every due window of live rows.

        Windows judged before are not judged again, so a growing table may be given whole each time. At least the rows
        of the windows that were not due yet have to be in it, and those whose labels have come since.

        Args:
            live: a path (or pattern), or a frame as for the reference.
            labels: labels that came apart from their rows, by the ids of these, as `live`; None: those of the config.

        Returns:
            All that was found so far.

        Raises:
            BadInput: there is no such table, or it has no event times.
            CannotRun: a file cannot be read, or another run is at work.
        """
        config = self._config(live)
        if labels is not None:
            path = stored(
                labels,
                self._scratch.path / "labels.parquet",
                event_time=config.traffic.event_time,
                ids=config.traffic.prediction_id,
            )
            traffic = config.traffic.model_copy(update={"labels": path.absolute()})
            config = config.model_copy(update={"traffic": traffic})
        with Store.open(config.store.url) as store:
            run = run_due_windows(config, store, clock=self._clock)
            return self._verdicts(config, store, run)

    def backfill(
        self, live: Any, start: datetime, end: datetime, *, only: Only | None = None, by: str = ""
    ) -> TableVerdicts:
        """Judge windows of live rows late or again, as `pitfalls monitor backfill` does.

        Args:
            live: as for `run`; the rows of every window from `start` on have to be in it.
            start: when the first window begins, aware.
            end: when the last one ends, aware.
            only: `missing`, those never judged, or judged without rows that are there now; `failed`; None: all.
            by: who asks for it.

        Returns:
            All that was found so far.

        Raises:
            BadInput: the range cannot be judged; nothing was changed.
            CannotRun: a file cannot be read, or another run is at work.
        """
        config = self._config(live)
        asked = WindowRange(start=start, end=end, only=only, by=by)
        with Store.open(config.store.url) as store:
            done = backfill(config, store, asked, request=RunRequest(), clock=self._clock)
            return self._verdicts(config, store, done.run)

    def report(self, live: Any, out: str | Path, *, drift: bool = True) -> Reports:
        """Write the report page, the picture, and Evidently's drift report of a window of `live` into `out`.

        Args:
            live: as for `run`.
            out: the folder.
            drift: whether to write the drift report.

        Returns:
            Where the reports are.

        Raises:
            BadInput: nothing was judged yet.
            CannotRun: the folder cannot be written.
        """
        config = self._config(live)
        with Store.open(config.store.url) as store:
            return write_reports(config, store, out=Path(out), drift=drift)

    def verdicts(self) -> TableVerdicts:
        """All that was found so far; no rows are read, and nothing is judged.

        Returns:
            As of the last run.

        Raises:
            BadInput: nothing was judged yet.
        """
        config = load_config(self.config)
        with Store.open(config.store.url) as store:
            return self._verdicts(config, store)

    def to_pandas(self, table: str = "scores") -> pd.DataFrame:
        """What was found so far as a data frame, as `TableVerdicts.to_pandas` gives it."""
        return self.verdicts().to_pandas(table)

    def __repr__(self) -> str:
        return f"Monitor({str(self.config)!r})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr>{''.join(f'<td>{escape(printable(cell, _LONGEST))}</td>' for cell in one.document().values())}</tr>"
            for one in self.columns
        )
        head = "".join(f"<th>{name}</th>" for name in ("column", "role", "kind", "", "unit", "description"))
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
        notes = "".join(f"<li>{escape(printable(note, _LONGEST))}</li>" for note in self.notes)
        return f"<p>Monitor of {escape(str(self.config))}.</p>{table}" + (f"<ul>{notes}</ul>" if notes else "")

    def _verdicts(self, config: MonitorConfig, store: Store, run: RunResult | None = None) -> TableVerdicts:
        baseline = load_baseline(find_baseline(config).baseline)
        return TableVerdicts(
            status=replace(
                status(store, config.name, None if run is None else run.deployment), columns=column_notes(config)
            ),
            judged=0 if run is None else run.judged,
            benchmark=reference_benchmark(baseline, config),
        )

    def _config(self, live: Any) -> MonitorConfig:
        config = load_config(self.config)
        traffic = config.traffic
        path = stored(
            live, self._scratch.path / "live.parquet", event_time=traffic.event_time, ids=traffic.prediction_id
        )
        return config.model_copy(update={"traffic": traffic.with_path(path.absolute())})


def watch_table(reference: Any, live: Any, **own: Any) -> TableVerdicts:
    """`Monitor.from_reference(reference, **own).run(live)`, for one look."""
    return Monitor.from_reference(reference, **own).run(live)
