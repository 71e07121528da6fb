"""A deployment whose rows have a text and an image: its baseline with a schema, days of traffic with labels, a config.

Its baseline describes the first days of the same traffic log.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from monitoring.baseline.folder import write_baseline
from monitoring.baseline.schema import infer_schema, write_schema
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.config import MonitorConfig, load_config
from monitoring.records import CauseDetail, CauseRow, IncidentRecord
from monitoring.timestamps import as_datetime, as_microseconds
from monitoring.traffic.descriptors.encoded_image import EncodedImageDescriptors
from monitoring.traffic.descriptors.image import ImageDescriptors
from monitoring.traffic.descriptors.text import TextDescriptors
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.labels.label_writer import LabelWriter
from monitoring.traffic.log.redaction import Redaction
from monitoring.traffic.log.writer import TrafficWriter
from tests.incident_words import worded

FIRST = datetime(2013, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS, ROWS_A_DAY, BASELINE_DAYS = 4, 30, 2
WORDS = ("the parcel came late", "all was well", "a broken cup", "thank you")
IMAGE = ImageDescriptors(source="photo", shape=(8, 8, 3))
FILE = EncodedImageDescriptors(source="photo")


def rows(photos: NDArray[np.float64] | None = None) -> pa.Table:
    """Rows with an id, a time, a number, a text, an image of 8 by 8 pixels, probabilities and a label."""
    rng = np.random.default_rng(3)
    count = DAYS * ROWS_A_DAY
    event = as_microseconds(FIRST) + np.arange(count) * (86_400_000_000 // ROWS_A_DAY)
    late = rng.uniform(0.05, 0.95, count)
    noise = rng.uniform(0.0, 1.0, (count, 192))
    return pa.table(
        {
            "prediction_id": [f"p{row:03d}:0" for row in range(count)],
            "event_time": pa.array(event).cast(pa.timestamp("us", "UTC")),
            "weight": rng.normal(2.0, 0.5, count),
            "comment": [WORDS[row % len(WORDS)] for row in range(count)],
            "photo": pa.array(list(noise if photos is None else photos), pa.list_(pa.float64())),
            "probabilities": pa.array(list(np.stack([1 - late, late], axis=1)), pa.list_(pa.float64())),
            "label": pa.array(np.where(rng.random(count) < late, "late", "on_time").astype(object), pa.string()),
            "label_time": pa.array(event + 3_600_000_000).cast(pa.timestamp("us", "UTC")),
        }
    )


def make(
    folder: Path,
    *,
    comments: Sequence[str] = WORDS,
    dropped: Sequence[str] = (),
    kept_days: int = DAYS,
    sections: str = "",
    photos: NDArray[np.float64] | None = None,
    files: Sequence[bytes] = (),
) -> MonitorConfig:
    """Write a bundle's baseline, a traffic log and a config.

    Args:
        folder: Where.
        comments: The texts of the last days.
        dropped: Columns that the log redacts.
        kept_days: How many of the last days the log has.
        sections: More sections of the config.
        photos: The images of all rows, [120, 192]; None: noise.
        files: Instead: files of images, which are of the rows in turn.

    Returns:
        The config.
    """
    table = rows(photos)
    reference = table.slice(0, BASELINE_DAYS * ROWS_A_DAY)
    times = np.asarray(reference["event_time"].cast(pa.int64()))
    texts = reference["comment"].combine_chunks()
    described = TextDescriptors.fit("comment", [(texts, times)])
    cells = [files[row % len(files)] for row in range(table.num_rows)] if files else []
    image = FILE if files else IMAGE
    seen = pa.array(cells[: reference.num_rows], pa.binary()) if files else reference["photo"].combine_chunks()
    columns = {**described.describe(texts, times), **image.describe(seen, times)}
    spec = BaselineSpec(
        classes=("on_time", "late"),
        features=(
            FeatureSpec(name="weight", kind="number"),
            *(FeatureSpec(name=name, kind=kind, source="comment") for name, kind in described.kinds.items()),
            *(FeatureSpec(name=name, kind=kind, source="photo") for name, kind in image.kinds.items()),
        ),
        described=(described, image),
    )
    for name, column in columns.items():
        reference = reference.append_column(name, column)
    extras = folder / "models" / "parcels" / "1" / "assets.extra"
    write_baseline(reference, folder=extras / "baseline", spec=spec)
    write_schema(infer_schema(reference.select(["weight", "label"]), label="label"), extras / "schema.pbtxt")
    first = (DAYS - kept_days) * ROWS_A_DAY
    _write(folder / "traffic", table.slice(first), comments, Redaction(dropped=frozenset(dropped)), cells[first:])
    config = folder / "monitor.toml"
    config.write_text(
        '[model]\nbundle = "models/parcels"\n[traffic]\npath = "traffic"\n[windows]\nmin_rows = 5\n'
        f'[store]\nurl = "sqlite:///pitfalls.db"\n{sections}'
    )
    return load_config(config)


def incident(worst: Sequence[int] = (95, 92)) -> IncidentRecord:
    """A page of the fourth day, with its worst rows by their places."""
    table, start = rows(), FIRST + 3 * DAY
    return IncidentRecord(
        number=1,
        level="page",
        state="open",
        opened_at=start + DAY,
        window_start=start,
        window_end=start + DAY,
        watch="brier",
        slice="",
        diagnoses=worded("Brier score rose", "Brier score rose."),
        detail=CauseDetail(
            rows=tuple(
                CauseRow(
                    prediction_id=table["prediction_id"][place].as_py(),
                    event_time=as_datetime(table["event_time"][place].cast(pa.int64()).as_py()),
                    score=0.9 - 0.1 * rank,
                )
                for rank, place in enumerate(worst)
            )
        ),
    )


def _write(traffic: Path, table: pa.Table, comments: Sequence[str], redaction: Redaction, files: list[bytes]) -> None:
    count = table.num_rows
    live = np.asarray(table["event_time"].cast(pa.int64())) >= as_microseconds(FIRST + BASELINE_DAYS * DAY)
    texts = [
        comments[row % len(comments)] if new else old
        for row, (old, new) in enumerate(zip(table["comment"].to_pylist(), live.tolist(), strict=True))
    ]
    inputs = {
        "weight": np.asarray(table["weight"], dtype=np.float32),
        "comment": np.array([text.encode() for text in texts], dtype=object),
        "photo": np.array(table["photo"].to_pylist(), dtype=np.float32).reshape(count, 8, 8, 3),
    }
    if files:
        inputs["photo"] = np.array(files, dtype=object)
    ids = [text.removesuffix(":0") for text in table["prediction_id"].to_pylist()]
    writer = TrafficWriter(traffic, clock=lambda: FIRST + 10 * DAY)
    writer.append(
        AnsweredRows(
            model="parcels",
            version=1,
            signature="serving_default",
            request_ids=ids,
            rows=[0] * count,
            event_times_us=np.asarray(table["event_time"].cast(pa.int64())),
            answered_at_us=0,
            latencies_us=np.zeros(count, dtype=np.int64),
            inputs=dict(redaction.apply(inputs)),
            outputs={"probabilities": np.array(table["probabilities"].to_pylist(), dtype=np.float32)},
        )
    )
    writer.close()
    labels = LabelWriter(traffic, clock=lambda: FIRST + 10 * DAY)
    labels.append(
        table["prediction_id"].to_pylist(), table["label"].to_pylist(), np.asarray(table["label_time"].cast(pa.int64()))
    )
    labels.close()
