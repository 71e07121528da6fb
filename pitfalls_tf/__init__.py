"""The paper as runnable experiments, and the command line over `serving` and `monitoring`.

Importing this package loads nothing heavy; `pitfalls --help` answers at once.

The rooms, from the ground up. Each imports only from the lines above its own, and names on one line do not know each
other::

    data
    rows | replay
    sources | architectures
    fitting
    remedies
    training
    verdicts | demo
    experiments
    cli

``sources`` load ``rows``. ``fitting`` trains one of the ``architectures`` over many seeds, with ``remedies`` applied;
``training`` does so for a named setup and keeps its runs. ``verdicts`` compare setups and guard a release. ``demo`` is
the pipeline from training to the monitor's report; ``replay`` sends a table's rows to a server. ``experiments`` are the
paper's figures, one file each in ``experiments.figures``. ``cli`` has one file per verb.
"""

from __future__ import annotations

__all__: list[str] = []
