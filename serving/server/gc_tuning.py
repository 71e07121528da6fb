"""Settings of Python's cyclic garbage collector for a server.

A request of a few hundred numbers is as many new lists, and Python visits all tracked objects once enough of them were
allocated. With TensorFlow imported that is a million objects and a pause of half a second.
"""

from __future__ import annotations

import gc

#: Allocations less deallocations before the youngest generation is collected. Python's default of 700 is two requests.
YOUNG_OBJECTS = 50_000


def tune_gc() -> None:
    """Freeze the objects that are alive, and collect less often.

    To be called before the first model is loaded, so that an unloaded model gives its memory back. Imports TensorFlow,
    whose objects are most of the frozen ones: 4 to 10 s if it is not imported yet.
    """
    import tensorflow as tf  # noqa: PLC0415 - seconds

    del tf
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
