"""TensorFlow without the libraries that it imports for training and notebooks, which no server needs.

Keras, and what that looks for, are half of the time of ``import tensorflow`` and a third of the memory of a server's
own pages. All are optional to it: it goes on without them, and whoever needs one imports it afterwards.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final, final

_NOT_NEEDED: Final = ("keras", "h5py", "IPython", "joblib", "matplotlib", "pandas", "scipy", "sklearn")


class _Absent(Loader):
    """Loads nothing."""

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Raise as where the library is not installed."""
        raise ModuleNotFoundError(f"{spec.name} is not imported by a server.", name=spec.name)


@final
class _NotNeeded(MetaPathFinder):
    """Finds the libraries that are not needed to be absent, for one thread: others import them meanwhile."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Where the library is not needed, a loader that raises; else nothing, and the other finders look."""
        del path, target
        is_hidden = name in _NOT_NEEDED and threading.get_ident() == self._thread
        return ModuleSpec(name, _Absent()) if is_hidden else None


@contextmanager
def lean_imports() -> Iterator[None]:
    """While the block runs, this thread's imports of these libraries fail, unless they or TensorFlow are imported."""
    if "tensorflow" in sys.modules:
        yield
        return
    finder = _NotNeeded()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
