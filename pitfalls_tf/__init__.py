"""The paper as runnable experiments, and the command line over `serving` and `monitoring`.

Importing this package loads nothing heavy; `pitfalls --help` answers at once.

The rooms, and which may import which, are listed in `setup.cfg` and drawn in `docs/architecture.md`.

``sources`` load ``rows``. ``fitting`` trains one of the ``architectures`` over many seeds, with ``remedies`` applied;
``training`` does so for a named setup and keeps its runs. ``verdicts`` compare setups and guard a release. ``demo`` is
the pipeline from training to the monitor's report; ``replay`` sends a table's rows to a server. ``experiments`` are the
paper's figures, one file each in ``experiments.figures``. ``cli`` has one file per verb, ``notebook`` the same for
Python: `train`, `compare` and `export`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pitfalls_tf.notebook.export import export
    from pitfalls_tf.notebook.training import compare, train

__all__ = ["compare", "export", "train"]

#: Imported at first use: they load TensorFlow.
_LAZY = {
    "compare": "pitfalls_tf.notebook.training",
    "export": "pitfalls_tf.notebook.export",
    "train": "pitfalls_tf.notebook.training",
}


def __getattr__(name: str) -> object:
    """Import a name at its first use."""
    if name not in _LAZY:
        raise AttributeError(f"module 'pitfalls_tf' has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    """The names that are imported at first use, and those of the module itself."""
    return sorted({*(name for name in globals() if name.startswith("__")), *__all__})
