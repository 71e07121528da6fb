"""The page of an incident's rows: the worst, typical ones, and typical ones of the baseline, side by side."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.config import MonitorConfig
from monitoring.dashboard.incident.incident import WINDOWS_AFTER
from monitoring.dashboard.incident.outcomes import NO_CONFIG, OutcomesView, kept_outcomes, tables_of
from monitoring.dashboard.incident.row_words import answer_words, label_words, value_words
from monitoring.dashboard.incident.subgroups import subgroup_views
from monitoring.dashboard.incident.thumbnails import SIDES, thumbnails
from monitoring.dashboard.stores.stores import StoredDeployment
from monitoring.dashboard.view.kept_readings import KeptReadings, state_of
from monitoring.dashboard.view.table import Cell, TableView, cell
from monitoring.dashboard.view.words import name_of, zone_words
from monitoring.errors import PitfallsError
from monitoring.jobs.examples.incident_rows import ExampleRows, IncidentRows, read_incident_rows
from monitoring.jobs.subgroups.subgroup_rows import read_subgroups
from monitoring.records import FACT_WATCH, IncidentRecord, WindowRecord
from monitoring.reports.sections.formatting import format_moment, format_window
from monitoring.reports.sections.incidents import cause_line
from monitoring.store.overview import DeploymentSummary
from monitoring.timestamps import as_datetime
from monitoring.traffic.cells import is_list
from monitoring.traffic.descriptors.encoded_image import opened, small_pixels
from monitoring.watches.descriptions import format_value, printable, slice_title, watch_title

#: What is said of rows of a ranking whose ids are known by their hashes alone.
_HASHED = "Ids of the form #1a2b3c are parts of hashes: a baseline keeps no ids but those that often stand first."

#: Inputs that a table of the page has, those that moved first.
MOST_INPUTS = 12

#: Characters of an id that stand on one line.
SHORT_ID = 16

#: Characters of a text that are shown.
LONGEST_TEXT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An image of a row: its address, which holds the file itself, and what it is of."""

    address: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A text of a row, and what it is of."""

    text: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsGroup:
    """Some rows: their images, their texts, and a table of everything else."""

    title: str
    note: str
    pictures: tuple[Picture, ...]
    quotes: tuple[Quote, ...]
    table: TableView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsView:
    """Everything that the page shows; `problem` says why there are no rows."""

    address: str
    parent: str
    name: str
    number: int
    title: str
    window: str
    groups: tuple[RowsGroup, ...]
    outcomes: tuple[OutcomesView, ...]
    problem: tuple[str, ...]
    timezone: str

    @property
    def tables(self) -> tuple[TableView, ...]:
        """Every table of the page."""
        return (*(one.table for one in self.groups if one.table is not None), *tables_of(self.outcomes))


def read_rows(deployment: StoredDeployment, number: int, kept: KeptReadings, *, whole: bool = False) -> RowsView:
    """The view of an incident's rows, which are read from the traffic.

    Args:
        deployment: The deployment.
        number: The incident's number.
        kept: What was read of answers and labels before.
        whole: Whether its tables have all inputs.

    Returns:
        The view, with the reason where rows cannot be read; BadInput says that there is no such incident.
    """
    store, summary, config, clock = deployment.store, deployment.summary, deployment.config, deployment.clock
    incident, parent = store.incidents.get(deployment.number, number), deployment.address
    if config is None:
        return rows_view(incident, summary, parent, (NO_CONFIG,))
    windows = store.windows.recent(deployment.number, latest=WINDOWS_AFTER, before=incident.closed_at)
    since = [window for window in windows if window.start >= incident.window_start]
    try:
        rows = read_incident_rows(config, summary.record.version, incident, clock)
        outcomes, _ = kept_outcomes(deployment, config, since, ("", incident.slice), kept)
        subgroups = _kept_subgroups(deployment, config, since, incident.scored_by, kept)
    except PitfallsError as error:
        return rows_view(incident, summary, parent, tuple(str(error).splitlines()))
    views = (*subgroups, *outcomes)
    return rows_view(incident, summary, parent, rows, outcomes=views, whole=whole)


def _kept_subgroups(
    deployment: StoredDeployment, config: MonitorConfig, windows: list[WindowRecord], wanted: str, kept: KeptReadings
) -> tuple[OutcomesView, ...]:
    """The subgroups in which the model got worse in some windows."""

    def read() -> tuple[OutcomesView, ...]:
        version = deployment.summary.record.version
        return subgroup_views(read_subgroups(config, version, windows, wanted, deployment.clock))

    ends = (windows[0].start, windows[-1].end, len(windows)) if windows else ()
    return kept.get(("subgroups", state_of(deployment, config), ends, wanted), read)


def rows_view(
    incident: IncidentRecord,
    summary: DeploymentSummary,
    parent: str,
    found: IncidentRows | tuple[str, ...],
    *,
    outcomes: tuple[OutcomesView, ...] = (),
    whole: bool = False,
) -> RowsView:
    """The page of an incident's rows.

    Args:
        incident: The incident.
        summary: Its deployment.
        parent: The path of the deployment's page.
        found: Its rows, or in lines why they cannot be read.
        outcomes: What became of answers since.
        whole: Whether tables have all inputs.

    Returns:
        The page.
    """
    zone = summary.zone
    return RowsView(
        address=f"{parent}/incidents/{incident.number}/rows",
        parent=parent,
        name=printable(name_of(summary)),
        number=incident.number,
        title=cause_line(incident),
        window=format_window(incident.window_start, incident.window_end, zone),
        groups=() if isinstance(found, tuple) else _groups(incident, found, zone, None if whole else MOST_INPUTS),
        outcomes=outcomes,
        problem=found if isinstance(found, tuple) else (),
        timezone=zone_words(summary),
    )


def _groups(incident: IncidentRecord, found: IncidentRows, zone: ZoneInfo, most: int | None) -> tuple[RowsGroup, ...]:
    subgroup = incident.detail.subgroup
    part = f" at {slice_title(incident.slice)}" if incident.slice and not (incident.inputs_of_fact or subgroup) else ""
    there = part if subgroup is None else f" where {printable(str(subgroup))}"
    watch = "" if incident.watch == FACT_WATCH else f": {watch_title(incident.scored_by)}"
    groups = (
        ("worst", f"Worst{watch}{there}", found.worst),
        ("typical", f"Typical of the window{part}", found.typical),
        ("baseline", f"Typical of the baseline{part}", found.baseline),
    )
    pictures = _pictures([examples for *_, examples in groups], found)
    inputs = _inputs(incident, found)[:most]
    return tuple(
        RowsGroup(
            title=title,
            note=" ".join(filter(None, (examples.note, _undecodable(examples)))),
            pictures=some,
            quotes=_quotes(examples, found),
            table=_table((name, title), examples, (incident, found, inputs), zone) if len(examples.rows) else None,
        )
        for (name, title, examples), some in zip(groups, pictures, strict=True)
    )


def _inputs(incident: IncidentRecord, found: IncidentRows) -> tuple[str, ...]:
    """The inputs of tables in their order: those that moved, that of the slice, then the others."""
    known = [one.name for one in found.spec.features]
    subgroup = incident.detail.subgroup
    chosen = () if subgroup is None else (one.input for one in subgroup.conditions)
    first = [
        *chosen,
        *(one.input for one in incident.detail.inputs),
        incident.slice.partition("=")[0],
        *incident.inputs_of_fact,
    ]
    ordered = dict.fromkeys([*(name for name in first if name in known), *known])
    return tuple(name for name in ordered if name not in found.texts)


def _words(examples: ExampleRows, found: IncidentRows) -> list[str]:
    """Of each row what it was answered, and its label."""
    task = found.spec.task
    answers = answer_words(task, examples.rows.probabilities, examples.ids)
    labels = label_words(task, examples.rows.labels, examples.ids)
    return [f"{answer}; label {label}" for answer, label in zip(answers, labels, strict=True)]


def _quotes(examples: ExampleRows, found: IncidentRows) -> tuple[Quote, ...]:
    """The texts of rows; an input that is absent is one of `problems`, and has none."""
    words = _words(examples, found)
    there = set(examples.rows.features.column_names)
    return tuple(
        Quote(text=printable(text, LONGEST_TEXT), words=f"{printable(name)}: {words[place]}")
        for name in found.texts
        if name in there
        for place, text in enumerate(examples.rows.features[name].to_pylist())
        if text is not None
    )


def _pictures(groups: Iterable[ExampleRows], found: IncidentRows) -> list[tuple[Picture, ...]]:
    """The images of each group; those of numbers are all on one scale, and so are those of files."""
    numbers = [
        [
            (image, f"{printable(name)}: {words}")
            for name, shape in found.images.items()
            for image, words in zip(_images(one.rows.features, name, shape), _words(one, found), strict=False)
            if image is not None
        ]
        for one in groups
    ]
    files = [
        [
            (image, f"{printable(name)}: {words}")
            for name, cells in one.files.items()
            for image, words in zip(map(_decoded, cells), _words(one, found), strict=True)
            if image is not None
        ]
        for one in groups
    ]
    return [(*some, *others) for some, others in zip(_thumbnails(numbers), _thumbnails(files), strict=True)]


def _thumbnails(groups: Sequence[Sequence[tuple[NDArray[Any], str]]]) -> list[tuple[Picture, ...]]:
    """Images with their words, small and on one scale."""
    files = iter(thumbnails([image for some in groups for image, _ in some]))
    return [
        tuple(
            Picture(address=f"data:image/png;base64,{b64encode(next(files)).decode()}", words=words)
            for _, words in some
        )
        for some in groups
    ]


def _decoded(cell: bytes | None) -> NDArray[Any] | None:
    """The pixels of a file, made small; None where it cannot be decoded."""
    image = None if cell is None else opened(cell, side=SIDES[0])
    return None if image is None else small_pixels(image[0], SIDES[0])


def _undecodable(examples: ExampleRows) -> str:
    """How many of the files of rows show nothing; empty where all do."""
    cells = [cell for some in examples.files.values() for cell in some if cell is not None]
    bad = sum(_decoded(cell) is None for cell in cells)
    return f"{bad} of {len(cells)} images cannot be decoded." if bad else ""


def _images(rows: pa.Table, name: str, shape: tuple[int, int, int]) -> list[NDArray[Any] | None]:
    """The images of a column, [height, width, channels]; None for one of another size."""
    if name not in rows.column_names:
        return []
    found: list[NDArray[Any] | None] = []
    for one in rows[name].combine_chunks():
        leaves = one.values if one.is_valid and is_list(one.type) else None
        while leaves is not None and is_list(leaves.type):
            leaves = leaves.flatten()
        numbers = np.zeros(0) if leaves is None else np.asarray(leaves.cast(pa.float64(), safe=False), dtype=np.float64)
        found.append(numbers.reshape(shape) if numbers.size == np.prod(shape) else None)
    return found


def _table(
    named: tuple[str, str],
    examples: ExampleRows,
    of: tuple[IncidentRecord, IncidentRows, tuple[str, ...]],
    zone: ZoneInfo,
) -> TableView:
    (name, title), (incident, found, inputs), rows = named, of, examples.rows
    texts = tuple(one for one in found.texts if one in rows.features.column_names)
    columns = {one: rows.features[one].to_pylist() for one in (*inputs, *texts) if one in rows.features.column_names}
    fixed = _fixed(examples, incident, found, zone)
    absent = [one for one in found.images if one not in rows.features.column_names and name != "baseline"]
    absent += [one for one, cells in examples.files.items() if not any(cells)]
    missing = [printable(one) for one in (*(column for column, _ in rows.problems), *absent)]
    total = len(found.spec.features) - len(found.texts)
    notes = [
        f"{len(inputs)} of {total:,} inputs; the CSV file has all." if len(inputs) < total else "",
        _HASHED if found.spec.ranking is not None and not examples.ids and len(rows) else "",
        f"Not in these rows, as they are redacted or absent: {', '.join(missing)}." if missing else "",
    ]
    return TableView(
        name=name,
        title=title,
        columns=(*fixed, *(printable(one) for one in columns)),
        rows=tuple(
            (
                *(column[place] for column in fixed.values()),
                *(_cell(values[place], text=one in texts) for one, values in columns.items()),
            )
            for place in range(len(rows))
        ),
        numeric=frozenset(_numeric(list(fixed), list(columns), texts, found)),
        note=" ".join(filter(None, notes)),
    )


def _numeric(fixed: list[str], inputs: list[str], texts: tuple[str, ...], found: IncidentRows) -> list[int]:
    """The places of the columns of numbers: that of the score, and those of inputs that are numbers."""
    numbers = (one not in texts and found.spec.feature(one).kind == "number" for one in inputs)
    return [place for place, yes in enumerate((*(one == "Score" for one in fixed), *numbers)) if yes]


def _fixed(
    examples: ExampleRows, incident: IncidentRecord, found: IncidentRows, zone: ZoneInfo
) -> dict[str, list[Cell]]:
    """The columns that are no inputs."""
    rows, task = examples.rows, found.spec.task
    times = [as_datetime(one) for one in rows.event_times.tolist()]
    columns = {
        "Prediction": [
            cell(printable(one), one, style="id" if len(one) > SHORT_ID else "when") for one in rows.ids.to_pylist()
        ],
        "Event time": [cell(format_moment(one, zone), one, style="when") for one in times],
        "Answer": [cell(one, style="when") for one in answer_words(task, rows.probabilities, examples.ids)],
        "Label": [cell(one, style="when") for one in label_words(task, rows.labels, examples.ids)],
    }
    if examples.scores:
        columns["Score"] = [cell(format_value(incident.scored_by, one), one) for one in examples.scores]
    return columns


def _cell(value: float | str | None, *, text: bool) -> Cell:
    shown = value_words(value)
    given = value if isinstance(value, str) or value == value else None  # noqa: PLR0124 - NaN alone differs from itself
    return Cell(text=printable(shown, 60) if text else shown, value=given, style="text" if text else "")
