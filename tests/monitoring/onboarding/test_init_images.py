"""A table with a column of images as files: recognised, watched by what describes them, and never kept."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from monitoring import Monitor

ROWS_A_DAY = 40


@cache
def photo(grey: int) -> bytes:
    """A small image of one shade."""
    file = io.BytesIO()
    Image.new("RGB", (12, 9), (grey, grey, 200)).save(file, "PNG")
    return file.getvalue()


def days(first: str, count: int, *, damaged: float = 0.0, darker: int = 0) -> pd.DataFrame:
    """Rows whose images are of a few shades, of which a share is damaged, or all are darker."""
    rng = np.random.default_rng(count)
    rows = count * ROWS_A_DAY
    photos = [photo(int(shade)) for shade in rng.integers(100 - darker, 160 - darker, rows)]
    return pd.DataFrame(
        {
            "id": [f"{first}-{row}" for row in range(rows)],
            "seen_at": pd.Timestamp(first, tz="UTC") + pd.to_timedelta(np.arange(rows) * 2160, unit="s"),
            "photo": [one[:50] if rng.random() < damaged else one for one in photos],
        }
    )


def watching(reference: pd.DataFrame) -> Monitor:
    return Monitor.from_reference(reference, event_time="seen_at", prediction_id="id", task="inputs")


def test_images_of_a_table_are_watched_and_damaged_ones_are_counted() -> None:
    monitor = watching(days("2024-01-01", 25))
    (column,) = (one for one in monitor.columns if one.name == "photo")
    assert (column.role, column.kind) == ("input", "image")
    assert column.why.startswith("watched as photo.brightness, photo.contrast")
    (kept,) = monitor.config.parent.rglob("reference.parquet")
    assert {one.name for one in pq.read_schema(kept) if pa.types.is_binary(one.type)} == set()
    assert 'kind = "image"' in monitor.config.read_text("utf-8")
    damaged = monitor.run(pd.concat([days("2024-03-01", 2), days("2024-03-03", 1, damaged=0.4)]))
    assert [(one.level, "photo.brightness" in one.subjects) for one in damaged.incidents] == [("page", True)]
    (finding,) = (one for one in damaged.status.windows[-1].findings if one.kind == "not an image")
    assert finding.feature == "photo"


def test_a_reference_with_damaged_images_says_how_many_and_darker_ones_drift() -> None:
    reference = days("2024-01-01", 25)
    reference.loc[[3, 5], "photo"] = b"damaged"
    monitor = watching(reference)
    notes = " ".join(monitor.notes)
    assert "2 cells of photo in the window's files hold something that is no image" in notes
    dark = monitor.run(days("2024-03-01", 12, darker=60)).incidents[0]
    assert dark.detail.inputs[0].input in {"photo.brightness", "photo.saturation"}
