"""Teaches and drives: setups to train, verdicts to reach, and the command line over `serving` and `monitoring`.

Importing this package loads nothing heavy; `pitfalls --help` answers at once.
"""

from __future__ import annotations

__all__: list[str] = []
