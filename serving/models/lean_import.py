"""TensorFlow without the libraries that it imports for training and notebooks, which no server needs.

Keras, and what that looks for, are half of the time of ``import tensorflow`` and a third of the memory of a server's
own pages. All are optional to it: it goes on without them, and whoever needs one imports it afterwards.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Final, cast

_NOT_NEEDED: Final = ("keras", "h5py", "IPython", "joblib", "matplotlib", "pandas", "scipy", "sklearn")


@contextmanager
def lean_imports() -> Iterator[None]:
    """While the block runs, imports of these libraries fail, unless they or TensorFlow are imported already."""
    if "tensorflow" in sys.modules:
        yield
        return
    modules = cast("dict[str, ModuleType | None]", sys.modules)
    hidden = [name for name in _NOT_NEEDED if name not in modules]
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            if modules.get(name) is None:
                modules.pop(name, None)
