"""The paper's figures as experiments: question, grid of runs, table, verdict, figure.

`figures` has one file per experiment. An experiment runs `cells` on `tasks` through the run store, estimates the
quantities of its claims, and publishes `pages`.
"""

from __future__ import annotations
