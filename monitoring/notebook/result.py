"""What a monitor has judged so far, for notebooks: records, pictures, tables, and one schema for all of it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from html import escape
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload
from zoneinfo import ZoneInfo

from monitoring.errors import CannotRun
from monitoring.records import IncidentRecord, MonitorStatus, WindowRecord
from monitoring.reports.charts.evidence import evidence_chart
from monitoring.reports.charts.input import input_picture, standalone
from monitoring.reports.charts.inputs import LAST_WINDOWS
from monitoring.reports.charts.losses import loss_charts
from monitoring.reports.charts.summary import draw_figure
from monitoring.reports.results_table import results_table
from monitoring.reports.sections.benchmark import Benchmark
from monitoring.reports.sections.headline import headline
from monitoring.reports.sections.inputs import inputs_of
from monitoring.sentences.incident_text import IncidentText, incident_text
from monitoring.watches.descriptions import printable

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.figure import Figure

    from monitoring.reports.charts.input import InputPicture

#: The tables of a result: a row for each watch in each window, each metric that is shown and not tested in each window,
#: each window, and each incident.
ResultTable: TypeAlias = Literal["scores", "metrics", "windows", "incidents"]

#: Characters of a message, incidents, and open pages with their message that a notebook shows.
LONGEST_MESSAGE = 2_000
NEWEST_INCIDENTS = 10
OPEN_PAGES = 3


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MonitorResult:
    """What a monitor has judged so far. A notebook shows it as a compact report.

    Attributes:
        status: The deployment's whole state, as the store has it.
        benchmark: The model's losses on the reference.

    >>> import pandas as pd
    >>> from monitoring import Monitor
    >>> ts = pd.date_range("2026-01-01", periods=8_000, freq="10min")
    >>> table = pd.DataFrame({"ts": ts, "size": [1.0, 2.0, 3.0, 4.0] * 2_000})
    >>> monitor = Monitor.from_reference(table[:4_000], event_time="ts", task="inputs", every="1d")
    >>> result = monitor.run(table[4_000:].assign(size=9.0))
    >>> result.paged, result.incidents[0].level
    (True, 'page')
    >>> int(result.to_pandas("windows")["rows"].sum())
    4000
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

    @staticmethod
    def text(incident: IncidentRecord) -> IncidentText:
        """One of `incidents` in words: its cause in short, one line, its whole message, and what to do first."""
        return incident_text(incident)

    @property
    def inputs(self) -> tuple[str, ...]:
        """What `plot` draws by name: the inputs that moved most over the last seven windows first."""
        inputs = inputs_of(self.status.windows[-LAST_WINDOWS:], self.status.baseline)
        return tuple(each.name or each.key for each in inputs)

    @property
    def paged(self) -> bool:
        """Whether a page is open; a test says `assert not monitor.run(rows).paged`."""
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
            A figure of matplotlib; of an input a picture that a notebook shows, and that `save` writes as a page.

        Raises:
            BadInput: There is no such input.
        """
        if column is not None:
            return input_picture(self.status, column)

        return draw_figure(self.status, self.benchmark)

    def to_arrow(self, table: ResultTable = "scores") -> pa.Table:
        """One table of the result; columns are the keys of the schemas, with an underscore for the point.

        Args:
            table: Which.

        Returns:
            Rows in order of time; times are timestamps in UTC.
        """
        return results_table(self.status, table)

    def to_pandas(self, table: ResultTable = "scores") -> pd.DataFrame:
        """As `to_arrow`, as a data frame. Raises `CannotRun` where pandas is not installed."""
        if find_spec("pandas") is None:
            raise CannotRun(
                "A data frame needs pandas, which is not installed.",
                got="an environment without pandas",
                expected="pandas, or a table of pyarrow by to_arrow()",
                fix="pip install 'pandas>=2.2,<3'",
            )
        frame: pd.DataFrame = self.to_arrow(table).to_pandas()
        return frame

    def to_dict(self) -> dict[str, Any]:
        """The whole result as JSON values, by the schema `status.json`, as `pitfalls monitor status --json` prints."""
        from monitoring.documents.status import status_document  # noqa: PLC0415 - brings pydantic's models

        return status_document(self.status).plain()

    def __repr__(self) -> str:
        last = f" to {self.windows[-1].end:%Y-%m-%d %H:%M}" if self.windows else ""
        count = {level: sum(i.level == level for i in self.incidents) for level in ("page", "notice")}
        open_pages = sum(i.level == "page" and i.state != "closed" for i in self.incidents)
        return (
            f"MonitorResult({printable(self.status.model)}: {len(self.windows)} windows{last}; {count['page']} pages, "
            f"{open_pages} of them open; {count['notice']} notices)"
        )

    def _repr_html_(self) -> str:
        """The headline, the evidence, the losses, the newest incidents, and what open pages say; no script."""
        status = self.status
        head = headline(status)
        parts = [f"<p><b>{escape(head.model)}</b>: {escape(head.verdict)}</p>", f"<p>{escape(self._counts())}</p>"]
        if self.windows:
            charts = (evidence_chart(status), *loss_charts(status)[:1])
            parts.append(f"<div>{''.join(_image(chart.drawings[-1]) for chart in charts if chart.drawings)}</div>")
        newest = status.incidents[-NEWEST_INCIDENTS:]
        rows = [_cells(incident, ZoneInfo(status.timezone)) for incident in reversed(newest)]
        parts.append(html_table(("", "level", "window", "cause", "state"), rows) if rows else "<p>No incidents.</p>")
        if len(newest) < len(status.incidents):
            parts.append(f"<p>The newest {len(newest)} of {len(status.incidents)} incidents.</p>")
        pages = [i for i in newest if i.level == "page" and i.state != "closed"][-OPEN_PAGES:]
        parts += [
            f"<p>#{page.number}: {escape(printable(incident_text(page).message, LONGEST_MESSAGE))}</p>"
            for page in pages
        ]
        return "".join(parts)

    def _counts(self) -> str:
        coverage = self.status.coverage
        last = f", to {self.windows[-1].end:%Y-%m-%d %H:%M}" if self.windows else ""
        return (
            f"{len(self.windows)} windows judged{last}, {coverage.rows:,} rows, {coverage.labels:,} labels. "
            f"Budget of false pages: {self.status.page_budget}."
        )


def html_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table for a notebook; cells are escaped, and cut where they are long."""
    shown = "".join(
        f"<tr>{''.join(f'<td>{escape(printable(cell, LONGEST_MESSAGE))}</td>' for cell in row)}</tr>" for row in rows
    )
    names = "".join(f"<th>{escape(name)}</th>" for name in head)
    return f"<table><thead><tr>{names}</tr></thead><tbody>{shown}</tbody></table>"


def _image(drawing: Any) -> str:
    data = base64.b64encode(standalone(drawing).encode()).decode()
    return f'<img style="max-width:49%" alt="{escape(drawing.summary)}" src="data:image/svg+xml;base64,{data}"/>'


def _cells(incident: IncidentRecord, zone: ZoneInfo) -> tuple[str, ...]:
    when = f"{incident.window_start.astimezone(zone):%Y-%m-%d %H:%M}"
    return (f"#{incident.number}", incident.level, when, incident_text(incident).cause, incident.state)
