"""Times on the wall of a zone, as moments."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from monitoring.timestamps import as_datetime, duration_microseconds

#: Clocks are changed at a quarter of an hour, and offsets are looked up for each quarter once.
QUARTER_US = 900_000_000


def from_wall(us: NDArray[np.int64], zone: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Microseconds since 1970 on the wall of a zone as UTC, and which of them came twice; both [n].

    In the hour that clocks go back over, a time counts as its first; one that clocks went on over counts as if they
    had not yet. Cost: some microseconds for each different quarter of an hour, and a sort.

    >>> both, twice = from_wall(np.array([1_383_442_200_000_000]), "America/New_York")  # 2013-11-03 01:30
    >>> (int(both[0] - 1_383_442_200_000_000) // 3_600_000_000, twice.tolist())
    (4, [True])
    """
    quarters, places = np.unique(us // QUARTER_US, return_inverse=True)
    where = ZoneInfo(zone)
    offsets = np.zeros((quarters.size, 2), dtype=np.int64)
    for place, quarter in enumerate(quarters.tolist()):
        wall = as_datetime(quarter * QUARTER_US).replace(tzinfo=where)
        for fold in (0, 1):
            offsets[place, fold] = duration_microseconds(wall.replace(fold=fold).utcoffset() or timedelta())
    return us - offsets[places, 0], (offsets[:, 0] > offsets[:, 1])[places]
