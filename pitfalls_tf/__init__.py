"""The paper as runnable experiments, and the command line over `serving` and `monitoring`.

Importing this package loads nothing heavy; `pitfalls --help` answers at once.

The rooms, and which may import which, are listed in `setup.cfg` and drawn in `docs/architecture.md`.

``sources`` load ``rows``. ``fitting`` trains one of the ``architectures`` over many seeds, with ``remedies`` applied;
``training`` does so for a named setup and keeps its runs. ``verdicts`` compare setups and guard a release. ``demo`` is
the pipeline from training to the monitor's report; ``replay`` sends a table's rows to a server. ``experiments`` are the
paper's figures, one file each in ``experiments.figures``. ``cli`` has one file per verb.
"""

from __future__ import annotations

__all__: list[str] = []
