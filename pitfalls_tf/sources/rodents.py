"""Rodents trapped near Portal, Arizona, 1977 to 2002: which of ten species is this one?

Five treatments of 24 plots times 26 years are the domains. The species come and go with the decades and the treatments:
*Chaetodipus baileyi* (PB) is first trapped in 1995 and is the commonest of all in 2002. Data and licence:
`pitfalls_tf/data/PROVENANCE.md`.
"""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from pitfalls_tf.rows.table import Feature, Table

Times = NDArray[np.datetime64]

NAME: Final = "rodents"
# The ten species with most captures whose weight and hindfoot were measured.
CLASSES: Final = ("DM", "DO", "DS", "NL", "OT", "PB", "PE", "PF", "PP", "RM")
ZONE: Final = "America/Phoenix"
MIDNIGHT: Final = 7  # hour UTC of midnight in Arizona, which keeps no summer time
LABEL_DAYS: Final = 30  # assumed: the data have no label delay; about the time from one census to the next

FEATURES: Final = (
    Feature(name="weight", kind="number", meaning="body mass, g"),
    Feature(name="hindfoot_length", kind="number", meaning="length of the hind foot, mm"),
    Feature(name="sex", kind="category", meaning="F, M, or unknown"),
    Feature(name="month", kind="category", meaning="month of the capture, 01 to 12"),
    Feature(name="plot_type", kind="category", meaning="treatment of the plot: which rodents its fence lets in"),
)

_MICROSECONDS: Final = pa.timestamp("us", tz="UTC")


def load() -> Table:
    """Load the captures of the ten species whose weight and hindfoot were measured.

    Returns:
        28,575 rows in order of date and record. ``row_id`` is the data's own `record_id`. The day of a capture is known
        and the hour is not: ``event_time`` is its local midnight.

    Cost: about 0.1 s.

    >>> table = load()
    >>> len(table), len(set(table.domains.to_pylist()))
    (28575, 130)
    """
    captures = _captures()
    days = _days(captures)
    order = np.lexsort((captures["record_id"].to_numpy(), days))
    midnight: Times = days.astype("datetime64[h]") + MIDNIGHT
    label_times: Times = midnight + 24 * LABEL_DAYS
    rows = {
        "row_id": captures["record_id"].cast(pa.int64()),
        "event_time": _timestamps(midnight),
        "weight": captures["weight"].cast(pa.float32()),
        "hindfoot_length": captures["hindfoot_length"].cast(pa.float32()),
        "sex": pc.fill_null(captures["sex"], "unknown"),
        "month": pa.array([f"{month:02d}" for month in captures["month"].to_pylist()]),
        "plot_type": captures["plot_type"],
        "label": captures["species_id"],
        "label_time": _timestamps(label_times),
    }
    names = ("row_id", "event_time", *(feature.name for feature in FEATURES), "label", "label_time")
    table = Table(
        source=NAME,
        rows=pa.table({name: rows[name] for name in names}),
        days=pa.array(days),
        domains=pc.binary_join_element_wise(
            captures["plot_type"].combine_chunks(), captures["year"].combine_chunks().cast(pa.string()), "/"
        ),
        features=FEATURES,
        classes=CLASSES,
    )
    return table.take(order)


def _captures() -> pa.Table:
    """The captures that are kept, in the order of the file."""
    text = {name: pa.string() for name in ("species_id", "sex", "plot_type")}
    convert = pa_csv.ConvertOptions(column_types=text, null_values=[""], strings_can_be_null=True)
    with as_file(files("pitfalls_tf.data") / "portal_rodents_ratdat.csv.gz") as path:
        captures = pa_csv.read_csv(path, convert_options=convert)
    measured = pc.and_(pc.is_valid(captures["weight"]), pc.is_valid(captures["hindfoot_length"]))
    return captures.filter(pc.and_(measured, pc.is_in(captures["species_id"], value_set=pa.array(CLASSES))))


def _days(captures: pa.Table) -> Times:
    year, month, day = (captures[name].to_numpy().astype(np.int64) for name in ("year", "month", "day"))
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days: Times = months.astype("datetime64[D]") + (day - 1)
    return days


def _timestamps(moments: Times) -> pa.Array:
    return pa.array(moments.astype("datetime64[us]").astype(np.int64)).cast(_MICROSECONDS)
