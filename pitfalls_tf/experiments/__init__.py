"""The paper's figures as experiments: question, grid of runs, table, verdict, picture. A figure is one small file."""

from __future__ import annotations
