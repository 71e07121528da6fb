"""When what a window remembers is learnt anew, from the baseline's windows and quiet traffic's together."""

from __future__ import annotations

#: After so many windows for the first time, and then whenever their number has doubled.
FIRST = 10

#: No more than so many of the latest windows are looked at.
LONGEST_LOOK = 640


def due(windows: int) -> bool:
    """Whether memory is learnt anew when so many windows were judged, before the next is.

    >>> [windows for windows in range(200) if due(windows)]
    [10, 20, 40, 80, 160]
    """
    times, left = divmod(windows, FIRST)
    return left == 0 and times > 0 and times & (times - 1) == 0
