"""The rows that people are asked to label, one at a time: which one is shown, and what becomes of its label."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock

import numpy as np
import pyarrow as pa

from monitoring.asking.ask import labels_root, open_asked
from monitoring.baseline.batch import joined
from monitoring.baseline.predictions import Predictions
from monitoring.config import MonitorConfig
from monitoring.config.settings_digest import settings_digest
from monitoring.dashboard.incident.example_rows import answer_words, label_words
from monitoring.dashboard.incident.outcomes import NO_CONFIG, KeptReadings
from monitoring.dashboard.labels.door import LabelTarget, LabelWriters, add_labels
from monitoring.dashboard.labels.row_view import LabelRow, LabelView, given_label, row_view
from monitoring.dashboard.stores.stores import StoredDeployment
from monitoring.dashboard.view.words import name_of, zone_words
from monitoring.deployment.baseline_in_use import baseline_in_use
from monitoring.deployment.configured_spec import configured
from monitoring.deployment.data_dictionary import column_notes
from monitoring.errors import BadInput, PitfallsError
from monitoring.inspection.incident_rows import ReadableRows, described_rows
from monitoring.inspection.live_rows import image_files_of
from monitoring.reports.sections.formatting import format_moment
from monitoring.runs.versions import answering_config
from monitoring.tasks.label_codes import has_label
from monitoring.tasks.label_form import label_form
from monitoring.tasks.task import Task
from monitoring.timestamps import as_datetime
from monitoring.traffic.format.rows import LABEL_CHARACTERS
from monitoring.traffic.labels.asked_rows import AskedRows
from monitoring.traffic.labels.label_log import LabelLog
from monitoring.watches.descriptions import printable


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AskedReading:
    """The rows that were drawn and whose labels still count, as they were read.

    Attributes:
        rows: In order of event time, with the labels that were known then.
        readable: How they are read.
        left_out: Inputs that are images in files.
    """

    config: MonitorConfig
    rows: Predictions
    readable: ReadableRows
    left_out: tuple[str, ...]

    @property
    def task(self) -> Task:
        """What is predicted."""
        return self.readable.spec.task

    def known(self) -> dict[str, tuple[str, datetime]]:
        """The labels by now, by id: as text, and when they became known."""
        ids = self.rows.ids
        before = has_label(self.rows.labels)
        times = map(as_datetime, self.rows.label_times.tolist())
        every = zip(ids.to_pylist(), label_words(self.task, self.rows.labels), times, before.tolist(), strict=True)
        found = {name: (words, time) for name, words, time, has in every if has}
        return found | labels_in_log(self.config, ids, self.task)


def labels_in_log(config: MonitorConfig, ids: pa.Array, task: Task) -> dict[str, tuple[str, datetime]]:
    """The labels that a label log has of some predictions, by id: as text, and when they became known."""
    model = None if config.model.bundle is None else config.model.name
    labels = LabelLog(labels_root(config), model=model).latest(ids)
    labels = labels.filter(pa.array(has_label(task.label_codes(labels["label"]))))
    rows = zip(*(labels[name].to_pylist() for name in ("prediction_id", "label", "label_time")), strict=True)
    return {name: (text, time) for name, text, time in rows}


def row_to_show(is_labelled: Sequence[bool], row: int | None, last: int | None) -> tuple[int | None, int | None]:
    """Which row is shown, and which was labelled before it, to which *undo* leads.

    >>> row_to_show([True, False, True, False], None, 3), row_to_show([True, False], 1, None)
    ((2, 3), (1, None))

    Args:
        row: The number of a row, from 1; None for the first without a label.
        last: The number of the row that was labelled last, if an address says so.

    Returns:
        Numbers from 1; None where there is none.
    """
    there = range(1, len(is_labelled) + 1)
    shown = row if row in there else next((place for place in there if not is_labelled[place - 1]), None)
    before = [place for place in there if is_labelled[place - 1] and place < (shown or len(is_labelled) + 1)]
    if last in there and last != shown and is_labelled[(last or 0) - 1]:
        return shown, last
    return shown, before[-1] if before else None


def next_open(is_labelled: Sequence[bool], row: int) -> int | None:
    """The next row without a label after one, and after the last the first again; None where there is no other.

    >>> next_open([False, True, False], 1), next_open([False, True, False], 3), next_open([True, False], 2)
    (3, 1, None)
    """
    places = [*range(row + 1, len(is_labelled) + 1), *range(1, row)]
    return next((place for place in places if not is_labelled[place - 1]), None)


class Labelling:
    """Shows rows, and adds their labels, one at a time. What was read of rows is kept for a minute at least."""

    def __init__(self, writers: LabelWriters) -> None:
        self._writers = writers
        self._readings = KeptReadings()
        self._lock = Lock()

    def view(
        self, deployment: StoredDeployment, row: int | None, last: int | None, problem: tuple[str, ...] = ()
    ) -> LabelView:
        """The page. `row`, `last`: as of `row_to_show`."""
        summary = deployment.summary
        view = LabelView(
            address=f"{deployment.address}/label",
            parent=deployment.address,
            name=printable(name_of(summary)),
            problem=problem,
            timezone=zone_words(summary),
        )
        try:
            reading = self._reading(deployment)
            known = reading.known()
        except PitfallsError as error:
            return replace(view, problem=tuple(str(error).splitlines()))
        names = reading.rows.ids.to_pylist()
        is_labelled = [name in known for name in names]
        shown, undo = row_to_show(is_labelled, row, last)
        view = replace(view, total=len(names), labelled=sum(is_labelled), undo=undo, left_out=reading.left_out)
        if shown is None:
            return view
        return replace(
            view, number=shown, skip=next_open(is_labelled, shown), row=_row(deployment, reading, shown - 1, known)
        )

    def add(self, deployment: StoredDeployment, fields: dict[str, str]) -> str:
        """Add the label of a form.

        Returns:
            The query of the address that shows the next row.

        Raises:
            BadInput: The row was not asked for, somebody labelled it meanwhile, or its label is none of the model's.
        """
        reading = self._reading(deployment)
        name, text = fields.get("id", ""), given_label(reading.task, fields)
        names = reading.rows.ids.to_pylist()
        if name not in names:
            raise BadInput(
                "The label of this row is not asked for any more.",
                got="a row that was erased, or is too old",
                expected="a row of this page",
                fix="Go on with the next row.",
            )
        _check_label(reading.task, text)
        with self._lock:
            known = reading.known()
            before = known[name][0] if name in known else ""
            if before not in {fields.get("before", ""), text}:
                raise BadInput(
                    "Somebody else labelled this row meanwhile.",
                    got=f"{printable(text, 60)}, where it has {printable(before, 60)}",
                    expected="a row as it was shown",
                    fix="Label it again if theirs is wrong, or go on with the next row.",
                )
            if before != text:
                target = LabelTarget(config=reading.config, store=deployment.store, number=deployment.number)
                label = (name, text, deployment.clock())
                by = fields.get("by", "")
                add_labels(target, [label], by=by, writers=self._writers, clock=deployment.clock)
        place = names.index(name) + 1
        following = next_open([each in known for each in names], place)
        return f"last={place}" + (f"&row={following}" if following else "")

    def _reading(self, deployment: StoredDeployment) -> AskedReading:
        config = _config_in_use(deployment)
        asked = AskedRows(labels_root(config), config.name) if config.labels.budget else None
        key = deployment.named.name, deployment.number, settings_digest(config), asked and asked.state
        return self._readings.get(key, lambda: read_asked(config, deployment.clock))


def read_asked(config: MonitorConfig, clock: Callable[[], datetime]) -> AskedReading:
    """Read the rows whose labels are asked for. Cost: as of `monitoring.asking.ask.open_asked`."""
    config = answering_config(config)
    asked = open_asked(config, clock=clock)
    rows = joined([asked.rows, asked.labelled])
    order = np.lexsort((np.asarray(rows.ids.to_pylist(), dtype=object).astype(str), rows.event_times))
    spec = configured(config, baseline_in_use(config).spec)
    readable, left_out = ReadableRows(**described_rows(spec)), image_files_of(spec)
    return AskedReading(config=config, rows=rows.take(order), readable=readable, left_out=left_out)


def _config_in_use(deployment: StoredDeployment) -> MonitorConfig:
    config = deployment.config
    if config is None:
        raise BadInput(
            NO_CONFIG.partition(": ")[0] + ".",
            got=deployment.summary.record.called,
            expected="a config that was given with --config or --configs",
            fix="Give it, or label rows where it is: `pitfalls labels ask`.",
        )
    newest = deployment.store.deployments.latest(config.name)
    if newest != deployment.number:
        raise BadInput(
            "This deployment is not in use any more.",
            got=deployment.address,
            expected=f"/d/{deployment.named.name}/{newest}, which took its place",
            fix="Label its rows there.",
        )
    return config


def _check_label(task: Task, text: str) -> None:
    codes = task.label_codes(pa.chunked_array([[text]], pa.string()))
    if len(text) > LABEL_CHARACTERS or not has_label(codes).all() or task.unknown(codes).any():
        form, hint = label_form(task)
        how = f"{hint[:1].lower()}{hint[1:].removesuffix('.')}; {LABEL_CHARACTERS:,} characters at most"
        raise BadInput(
            "This is no label of the model.",
            got=printable(text, 60) or "nothing",
            expected={"class": f"one of {', '.join(map(printable, task.classes))}", "number": "a number"}.get(
                form, how
            ),
            fix="Nothing was added: correct it.",
        )


def _row(
    deployment: StoredDeployment, reading: AskedReading, place: int, known: dict[str, tuple[str, datetime]]
) -> LabelRow:
    """One row; what is said of a label that it has."""
    one = reading.rows.take(np.array([place]))
    (name,) = one.ids.to_pylist()
    before, given = known.get(name, ("", None))
    last, zone = deployment.summary.last, deployment.summary.zone
    answered = as_datetime(int(one.event_times[0]))
    return row_view(
        one,
        reading.readable,
        column_notes(reading.config),
        answer=answer_words(reading.task, one.probabilities)[0],
        given=(before, given is not None and last is not None and last[1] > given),
        times=(format_moment(answered, zone), format_moment(answered + reading.config.windows.label_horizon, zone)),
    )
