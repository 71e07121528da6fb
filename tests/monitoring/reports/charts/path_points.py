"""The points of a path that is drawn in steps from point to point."""

from __future__ import annotations

import re
from itertools import accumulate


def points_of(d: str) -> list[tuple[float, float]]:
    """The points of a path of one line, or of dots."""
    numbers = [float(one) for one in re.findall(r"-?(?:[0-9]+(?:[.][0-9])?|[.][0-9])", d.replace("h0", ""))]
    steps = zip(numbers[::2], numbers[1::2], strict=True)
    return [(round(x, 1), round(y, 1)) for x, y in accumulate(steps, lambda at, by: (at[0] + by[0], at[1] + by[1]))]
