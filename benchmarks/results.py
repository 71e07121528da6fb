"""Settings, tables and results of benchmarks."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

from rich.console import Console
from rich.table import Table as Drawn

#: Libraries whose version can change a figure.
LIBRARIES = ("numpy", "pyarrow", "tensorflow", "tensorflow-data-validation", "sqlalchemy", "uvicorn", "uvloop")

Cell: TypeAlias = str | int | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of all benchmarks: full or small sizes, and the folder of a demo or one to make it in."""

    out: Path
    quick: bool = False
    demo: Path | None = None
    minutes: float = 10.0
    workers: int = 2
    configs: int = 80
    pairs: int = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of figures; `note` explains them without reference to the code."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        """Check that every row has a cell for every column."""
        assert all(len(row) == len(self.columns) for row in self.rows), self.title


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Tables of a benchmark, and remarks on what is worse than promised or not measured."""

    tables: tuple[Table, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Where figures were measured: versions and cores, without names of machines or folders."""

    python: str = field(default_factory=platform.python_version)
    system: str = field(default_factory=lambda: f"{platform.system()} {platform.machine()}")
    cores: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))
    libraries: tuple[tuple[str, str], ...] = field(
        default_factory=lambda: tuple((name, version(name)) for name in LIBRARIES)
    )

    def __str__(self) -> str:
        return f"Python {self.python}, {self.cores} cores, {self.system}"


def draw(result: Result, console: Console) -> None:
    """Print a result's tables and remarks."""
    for table in result.tables:
        drawn = Drawn(title=table.title, title_justify="left", caption=table.note or None, caption_justify="left")
        for place, column in enumerate(table.columns):
            drawn.add_column(column, justify="left" if place == 0 else "right", overflow="fold")
        for row in table.rows:
            drawn.add_row(*(cell_text(cell) for cell in row))
        console.print(drawn, markup=False)
    for remark in result.remarks:
        console.print(f"- {remark}", markup=False, highlight=False)


def cell_text(cell: Cell) -> str:
    """Format a cell: three significant digits, integers with commas, a dash for None.

    >>> [cell_text(cell) for cell in (0.012345, 12.345, 123456.0, 7, None, "p < .05")]
    ['0.0123', '12.3', '123,456', '7', '-', 'p < .05']
    """
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int) or abs(cell) >= 100:
        return f"{cell:,.0f}"
    return f"{cell:.3g}"


def commit() -> str:
    """The commit of the checkout, with `-dirty` after changes; empty outside of a repository."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    described = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return described.stdout.strip()


def write(name: str, result: Result, settings: Settings, seconds: float) -> Path:
    """Write a result with its environment as OUT/NAME.json; returns the file."""
    environment = Environment()
    document = {
        "benchmark": name,
        "quick": settings.quick,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "commit": commit(),
        "seconds": round(seconds, 1),
        "environment": {
            "python": environment.python,
            "system": environment.system,
            "cores": environment.cores,
            "libraries": dict(environment.libraries),
        },
        "tables": [
            {"title": t.title, "note": t.note, "columns": list(t.columns), "rows": _listed(t.rows)}
            for t in result.tables
        ],
        "remarks": list(result.remarks),
    }
    settings.out.mkdir(parents=True, exist_ok=True)
    path = settings.out / f"{name}.json"
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return path


def _listed(rows: Sequence[tuple[Cell, ...]]) -> list[list[Cell]]:
    return [list(row) for row in rows]
