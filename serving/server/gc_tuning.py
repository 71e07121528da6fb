"""Python's collector of cyclic garbage, told what a server is like.

A request of a few hundred numbers is as many new lists, and Python looks through all that is alive once enough of
them have come. With TensorFlow imported that is a million objects and half a second, in which nobody is answered.
"""

from __future__ import annotations

import gc

#: Objects that come, less those that go, before the youngest are looked through. Python's own 700 are two requests.
YOUNG_OBJECTS = 50_000


def settle() -> None:
    """What is alive now stays for good and is not looked through again; what comes later is, but less often.

    To be called before the first model is loaded, so that a model that is unloaded gives its memory back. Imports
    TensorFlow, which is most of what stays. Cost: 4 to 10 s where it is not imported yet.
    """
    import tensorflow as tf  # noqa: PLC0415 - seconds

    del tf
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
