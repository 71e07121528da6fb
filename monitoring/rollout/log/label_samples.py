"""Labels on demand: a sample, by hash, of the rows on which two versions disagree, with known probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from monitoring.errors import BadInput
from monitoring.records import SCORE_ONE, LabelSample
from monitoring.rollout.evidence.assignment import assigned
from monitoring.rollout.evidence.differences import largest_differences
from monitoring.rollout.log.paired_log import Chosen, PairedLog
from monitoring.rollout.pairs import Measures, answered
from monitoring.sources.log_source import LogSource
from monitoring.traffic.format.rows import INPUT
from monitoring.traffic.id_keys import IdSet
from monitoring.traffic.windows import Window

#: The columns of a label file, in front of the inputs.
LABEL_COLUMNS = ("prediction_id", "event_time", "label", "label_time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What is asked for. `salt`: what the choice depends on; one that no sample had before."""

    rows: int
    salt: str
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRows:
    """Rows whose labels are asked for."""

    sample: LabelSample
    ids: pa.Array
    disagreements: int


def draw_sample(
    paired: PairedLog, windows: Sequence[Window], measures: Measures, chosen: Chosen, asking: Asking
) -> LabelRows:
    """Choose rows on which the versions disagree, each with the same probability, by a hash of its id.

    Rows on which they answer the same need no label: whatever it is, their losses are the same.

    Args:
        windows: Whole windows, in order, of which none has been counted.
    """
    parts = [_disagreements(paired, window, measures, chosen) for window in windows]
    ids = pa.concat_arrays(parts) if parts else pa.nulls(0, pa.string())
    if not len(ids):
        raise BadInput(
            "There is no row to be labelled.",
            got=f"{len(windows)} windows that have ended and were not counted, without a row on which the versions "
            "disagree",
            expected="at least one such row",
            fix="Wait for more traffic; windows that have been counted stay as they were.",
        )
    probability = min(math.ceil(asking.rows / len(ids) * SCORE_ONE) / SCORE_ONE, 1.0)
    span = {"start": windows[0].start, "end": windows[-1].end, "due": asking.due}
    sample = LabelSample(salt=asking.salt, probability=probability, **span)
    mask = assigned(asking.salt, ids, probability)
    return LabelRows(sample=sample, ids=ids.filter(pa.array(mask)), disagreements=len(ids))


def _disagreements(paired: PairedLog, window: Window, measures: Measures, chosen: Chosen) -> pa.Array:
    """The ids of rows that count, and on which the versions may have different losses."""
    rows = paired.read(window, known_by=window.end, chosen=chosen).pairs
    usable = rows.take(answered(rows.champion))
    largest = largest_differences(measures.task, measures.loss, usable.champion, usable.candidate)
    return usable.rows.ids.filter(pa.array(largest > 0.0)).cast(pa.string())


def rows_to_label(champion: LogSource, label_rows: LabelRows, at: datetime) -> pa.Table:
    """The rows as a file for a person to label: what the versions were asked, and not what they answered.

    Returns:
        Columns prediction_id, event_time, label (empty), label_time, and the inputs by their names; a label file once
        `label` is filled in.
    """
    table = champion.log.read(
        model=champion.model,
        version=champion.version,
        start=label_rows.sample.start,
        end=label_rows.sample.end,
        ids=IdSet(label_rows.ids),
    )
    table = table.append_column("label", pa.nulls(table.num_rows, pa.string()))
    table = table.append_column("label_time", pa.array([at] * table.num_rows, pa.timestamp("us", tz="UTC")))
    inputs = [name for name in table.column_names if name.startswith(INPUT)]
    return table.select([*LABEL_COLUMNS, *inputs]).rename_columns(
        [*LABEL_COLUMNS, *(name.removeprefix(INPUT) for name in inputs)]
    )
