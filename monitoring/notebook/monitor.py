"""The monitor's commands in Python, for notebooks: a reference table, live tables, and what was found in them."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from monitoring.atomic import scratch_folder
from monitoring.baseline.folder import load_baseline
from monitoring.config import ColumnSection, MetricDraft, MonitorConfig, load_config, parse_dictionary, read_dictionary
from monitoring.deployment.data_dictionary import column_notes
from monitoring.deployment.deployment_lookup import look_up_deployment
from monitoring.deployment.places import find_baseline
from monitoring.errors import BadInput
from monitoring.inspection.report import chosen_window, reference_benchmark, write_reports
from monitoring.inspection.status import status
from monitoring.notebook.frames import stored
from monitoring.notebook.result import LONGEST_MESSAGE, MonitorResult, ResultTable, html_table
from monitoring.onboarding.init import init_monitor
from monitoring.onboarding.table_description import described
from monitoring.records import Only
from monitoring.runs.backfill import BackfillRequest, WindowRange, backfill
from monitoring.runs.run import NO_SERVICES, ExternalServices, RunResult, run_due_windows
from monitoring.sources.engine_sources import fetched_rows, is_relation
from monitoring.store.store import Store
from monitoring.tasks.task import TaskName
from monitoring.traffic.column_roles import ColumnRole
from monitoring.traffic.tables.columns import named_columns
from monitoring.traffic.windows import Window
from monitoring.watches.descriptions import printable

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from monitoring.inspection.report import Reports

#: A path or pattern of files, a pandas frame, a pyarrow table, or anything with the Arrow interface.
TableLike: TypeAlias = "str | Path | pd.DataFrame | pa.Table | ArrowTable"

#: The name of a column, or several.
Names: TypeAlias = str | Sequence[str]


class ArrowTable(Protocol):
    """A table of another library, such as polars or DuckDB, that hands over its rows without a copy."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The stream of the Arrow C interface."""


class TemporaryFolder:
    """A folder that is deleted when nothing refers to it any more."""

    def __init__(self) -> None:
        held = ExitStack()
        self.path = held.enter_context(scratch_folder())
        weakref.finalize(self, held.close)


class Monitor:
    """Watches live tables against a reference table. Make it with `from_reference`, or `open` a folder again.

    One that `from_reference` made knows its `warnings`, of what is probably not meant, its `notes`, and what each of
    the reference's `columns` was taken for.

    Not safe for several threads; several processes may open one folder, and one of them judges at a time.

    >>> import numpy as np
    >>> import pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> p = rng.random(12_000)
    >>> ts = pd.date_range("2026-01-01", periods=12_000, freq="5min")
    >>> table = pd.DataFrame({"ts": ts, "p": p, "y": rng.random(12_000) < p})
    >>> monitor = Monitor.from_reference(table[:6_000], event_time="ts", scores="p", label="y")
    >>> monitor.run(table[6_000:])
    MonitorResult(...22 windows...
    """

    def __init__(
        self,
        config: Path,
        *,
        clock: Callable[[], datetime],
        warnings: tuple[str, ...] = (),
        notes: tuple[str, ...] = (),
        columns: tuple[ColumnRole, ...] = (),
    ) -> None:
        self.config = config
        self.warnings = warnings
        self.notes = notes
        self.columns = columns
        self._clock = clock
        self._scratch = TemporaryFolder()

    @classmethod
    def from_reference(  # noqa: PLR0913 - the front door: an editor completes what it can see
        cls,
        reference: TableLike,
        *,
        event_time: str | None = None,
        scores: Names | Mapping[str, Names] = (),
        predicted: Names | Mapping[str, Names] | None = None,
        label: Names | Mapping[str, str] | None = None,
        label_columns: Names = (),
        label_time: str | None = None,
        prediction_id: str | None = None,
        classes: Names | Mapping[str, Names] = (),
        task: TaskName | None = None,
        inputs: Names = (),
        categorical: Names = (),
        ignore: Names = (),
        group: str | None = None,
        slices: Names = (),
        class_slices: Names = (),
        metrics: Sequence[MetricDraft] = (),
        rules: Sequence[Mapping[str, Any]] = (),
        quantile: float | None = None,
        every: str = "1d",
        rows: int | None = None,
        batch_column: str | None = None,
        timezone: str = "UTC",
        naive_timezone: str = "UTC",
        traffic: str | None = None,
        dictionary: Mapping[str, Mapping[str, Any]] | str | Path | None = None,
        settings: Mapping[str, Any] | None = None,
        out: str | Path | None = None,
        force: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> Monitor:
        """A monitor that compares live tables with a reference table.

        One of `scores` and `predicted` has to be given, unless `task` is "inputs". Several columns are a list of names.

        Args:
            reference: A path (or pattern), a pandas frame, a pyarrow table, or anything with the Arrow interface:
                predictions on rows that the model was not fitted on, with labels where performance is watched.
            event_time: The column of event times; None: `event_time`. A reference may have none.
            scores: The probability of the second class, or a column for each class, or lists; of a ranking, lists with
                a score of each id. By output: a mapping.
            predicted: The predicted class or number, lists of numbers, or lists of ids. By output: a mapping.
            label: The column of labels; several where several numbers are predicted. By output: a mapping.
            label_columns: Instead of `label`, a column of 0 and 1 for each class that a row may have.
            label_time: The column of the times at which labels became known.
            prediction_id: The column of ids, by which repeats and labels that come apart are recognised.
            classes: The classes in the order of the scores; empty: as the table has them. By output: a mapping.
            task: "classification", "multilabel" (any of several classes), "regression", "ranking" (lists of ids, best
                first) or "inputs" (no answers); None: as labels and answers are, and none of the last two.
            inputs: Columns, or NAME:KIND; empty: all columns that have no other use.
            categorical: Inputs that are categories, whatever they look like.
            ignore: Columns that are no inputs.
            group: The column of what dependent rows share, such as a customer.
            slices: Categories whose values are watched by themselves.
            class_slices: Classes that are watched by themselves.
            metrics: Metrics of your own.
            rules: Rules about the rows of each window, each with the keys of a [[rule]] section of `monitor.toml`.
            quantile: Which quantile of the label a predicted number is; None: its mean or median.
            every: The length of a window, such as "1d" or "6h".
            rows: How many rows make a window, instead of `every`.
            batch_column: The column that names each row's batch, where rows have no event times: a batch is a window.
            timezone: The zone in which days begin, an IANA name.
            naive_timezone: The zone of times that have none.
            traffic: Where live rows are, for runs from the command line; None: as `run` is given them.
            dictionary: The data dictionary, such as ``{"amount": {"unit": "EUR"}}``, or the path of a TOML file.
            settings: Other settings of ``monitor.toml`` by section: ``{"budget": {"page": "1 per 365 windows"}}``.
            out: The monitor's folder; None: one that is deleted with the monitor.
            force: Whether a monitor that is in the folder already is replaced.
            clock: Gives the time.

        Returns:
            The monitor; its `columns` are what each column was taken for, its `notes` what is weak about the reference.

        Raises:
            BadInput: The reference does not fit its description, or a setting is unknown.
            CannotRun: The folder cannot be written.
        """
        if batch_column is not None and (event_time is not None or rows is not None):
            raise BadInput(
                "Batches stand in place of event times.",
                got="batch_column and " + ("event_time" if event_time is not None else "rows"),
                expected="batch_column without event_time and rows",
                fix="Leave the others out.",
            )
        table = described(
            event_time=event_time,
            scores=scores if isinstance(scores, Mapping) else _names(scores),
            predicted=predicted if isinstance(predicted, str | Mapping | None) else tuple(predicted),
            label=label if isinstance(label, str | Mapping | None) else tuple(label),
            label_columns=_names(label_columns),
            label_time=label_time,
            prediction_id=prediction_id,
            classes=classes if isinstance(classes, Mapping) else _names(classes),
            task=task,
            inputs=_names(inputs),
            categorical=_names(categorical),
            ignore=_names(ignore),
            group=group,
            slices=_names(slices),
            class_slices=_names(class_slices),
            metrics=metrics,
            quantile=quantile,
            every=every,
            rows=rows,
            batch_column=batch_column,
            timezone=timezone,
            naive_timezone=naive_timezone,
            traffic=traffic,
            dictionary=_dictionary(dictionary),
            settings={**(settings or {}), **({"rule": list(rules)} if rules else {})},
        )
        scratch = TemporaryFolder()
        path = stored(
            reference,
            scratch.path / "reference.parquet",
            event_time=named_columns(table.config).event_time,
            ids=table.traffic.prediction_id,
        )
        folder = scratch.path / "table" if out is None else Path(out)
        adopted = init_monitor(path, table, out=folder, clock=clock, force=force)
        monitor = cls(
            adopted.config, clock=clock, warnings=adopted.warnings, notes=adopted.notes, columns=adopted.columns
        )
        monitor._scratch = scratch
        return monitor

    @classmethod
    def open(cls, folder: str | Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Monitor:
        """A monitor that was made before, here or by `pitfalls monitor init`.

        Args:
            folder: The folder of its ``monitor.toml``.

        Returns:
            The monitor. The config is read by the first method that needs it, which raises `BadInput` without one.
        """
        return cls(Path(folder) / "monitor.toml", clock=clock)

    def run(self, live: TableLike, labels: TableLike | None = None) -> MonitorResult:
        """Judge every due window of live rows.

        Windows judged before are not judged again, so a growing table may be given whole each time. At least the rows
        of the windows that were not due yet have to be in it, and those whose labels have come since.

        Args:
            live: a path (or pattern), or a frame as for the reference; or a frame of Spark, or a relation of DuckDB,
                whose rows are summed up where they are.
            labels: labels that came apart from their rows, by the ids of these, as `live`; None: those of the config.

        Returns:
            All that was found so far.

        Raises:
            BadInput: there is no such table, or it has no event times.
            CannotRun: a file cannot be read, or another run is at work.
        """
        config, services = self._services(live)
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
            run = run_due_windows(config, store, clock=self._clock, services=services)
            return self._result(config, store, run)

    def backfill(
        self, live: TableLike, start: datetime, end: datetime, *, only: Only | None = None, by: str = ""
    ) -> MonitorResult:
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
        config, services = self._services(live)
        asked = BackfillRequest(windows=WindowRange(start=start, end=end, only=only, by=by))
        with Store.open(config.store.url) as store:
            done = backfill(config, store, asked, services=services, clock=self._clock)
            return self._result(config, store, done.run)

    def report(self, live: TableLike, out: str | Path, *, drift: bool = True) -> Reports:
        """Write the report page, the picture, and Evidently's drift report of a window of `live` into `out`.

        Args:
            live: as for `run`; of rows that stay where they are, those of the window come here.
            drift: whether to write the drift report.

        Raises:
            BadInput: nothing was judged yet.
            CannotRun: the folder cannot be written.
        """
        config, services = self._services(live)
        with Store.open(config.store.url) as store:
            if services.live is not None and drift:
                config = self._with_window(config, store, live)
            return write_reports(config, store, out=Path(out), drift=drift)

    def result(self) -> MonitorResult:
        """All that was found so far; no rows are read, and nothing is judged.

        Raises:
            BadInput: nothing was judged yet.
        """
        config = load_config(self.config)
        with Store.open(config.store.url) as store:
            return self._result(config, store)

    def to_pandas(self, table: ResultTable = "scores") -> pd.DataFrame:
        """What was found so far as a data frame, as `MonitorResult.to_pandas` gives it."""
        return self.result().to_pandas(table)

    def __repr__(self) -> str:
        return f"Monitor({str(self.config)!r})"

    def _repr_html_(self) -> str:
        head = ("column", "role", "kind", "", "unit", "description")
        rows = [tuple(role.document().values()) for role in self.columns]
        said = (*(f"Check: {warning}" for warning in self.warnings), *self.notes)
        notes = "".join(f"<li>{escape(printable(note, LONGEST_MESSAGE))}</li>" for note in said)
        table = html_table(head, rows) if rows else ""
        return f"<p>Monitor of {escape(str(self.config))}.</p>{table}" + (f"<ul>{notes}</ul>" if notes else "")

    def _result(self, config: MonitorConfig, store: Store, run: RunResult | None = None) -> MonitorResult:
        baseline = load_baseline(find_baseline(config).baseline)
        return MonitorResult(
            status=replace(
                status(store, config.name, None if run is None else run.deployment), columns=column_notes(config)
            ),
            judged=0 if run is None else run.judged,
            benchmark=reference_benchmark(baseline, config),
        )

    def _services(self, live: TableLike) -> tuple[MonitorConfig, ExternalServices]:
        """The config with live rows as its traffic; rows of a warehouse or a cluster stay where they are."""
        if is_relation(live):
            return load_config(self.config), ExternalServices(live=live)
        return self._config(live), NO_SERVICES

    def _with_window(self, config: MonitorConfig, store: Store, live: TableLike) -> MonitorConfig:
        """The config with the rows of the window that is reported as its traffic, copied from where they are."""
        number = look_up_deployment(config, store).number
        window = chosen_window(status(store, config.name, number), None)
        if window is None:
            return config
        span = Window(start=window.start, end=window.end)
        path = fetched_rows(live, named_columns(config), span, self._scratch.path / "window.parquet")
        return config.model_copy(update={"traffic": config.traffic.with_path(path.absolute())})

    def _config(self, live: TableLike) -> MonitorConfig:
        config = load_config(self.config)
        traffic = config.traffic
        path = stored(
            live, self._scratch.path / "live.parquet", event_time=traffic.event_time, ids=traffic.prediction_id
        )
        return config.model_copy(update={"traffic": traffic.with_path(path.absolute())})


def _names(names: Names) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _dictionary(dictionary: Mapping[str, Mapping[str, Any]] | str | Path | None) -> Mapping[str, ColumnSection]:
    if dictionary is None:
        return {}
    return read_dictionary(Path(dictionary)) if isinstance(dictionary, str | Path) else parse_dictionary(dictionary)
