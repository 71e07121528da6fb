"""How many files, folders and functions of the product a table enters on its way to a page.

`python -m benchmarks.walks` counts what is called, imports aside, in each of three commands: `monitor init`, a first
run over twenty days, the last seven of which are wrong, and a run over one day more. With `-v` it names the files.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from click.testing import CliRunner

import monitoring
from pitfalls_tf.cli import pitfalls
from tests.small_deployment import FIRST

ROOT = Path(monitoring.__file__).parents[1]
PACKAGES = tuple(f"{ROOT / package}{os.sep}" for package in ("monitoring", "serving", "pitfalls_tf"))
COLUMNS = ("--event-time", "ts", "--score", "p", "--label", "y", "--prediction-id", "id")
ROWS = 300


def days(first: int, count: int, *, wrong: int) -> pa.Table:
    """A table of some days of `ROWS` rows each; the answers of the last `wrong` days say nothing."""
    rng, rows = np.random.default_rng(first), count * ROWS
    score, amount = rng.uniform(0.05, 0.95, rows), rng.normal(50.0, 9.0, rows)
    chance = np.where(np.arange(rows) >= rows - wrong * ROWS, 1.0 - score, score)
    times = [FIRST + timedelta(days=first, seconds=288 * row) for row in range(rows)]
    return pa.table(
        {
            "id": [f"{first}-{row}" for row in range(rows)],
            "ts": times,
            "p": score,
            "amount": amount,
            "country": rng.choice(["fr", "de", "it"], rows),
            "y": (rng.random(rows) < chance).astype(np.int64),
        }
    )


def entered(*words: str) -> set[CodeType]:
    """The functions of the product that a command calls."""
    called: set[CodeType] = set()

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code.co_name != "<module>":
            called.add(frame.f_code)

    profiled: Callable[[Any], None] = sys.setprofile
    profiled(note)
    done = CliRunner().invoke(pitfalls, words)
    profiled(None)
    if done.exit_code not in (0, 1):
        raise SystemExit(done.output)
    return {code for code in called if code.co_filename.startswith(PACKAGES)}


def main() -> None:
    """Print the three walks as rows of a Markdown table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pq.write_table(days(0, 40, wrong=0), folder / "reference.parquet")
        (folder / "live").mkdir()
        pq.write_table(days(40, 20, wrong=7), folder / "live" / "a.parquet")
        run = ("monitor", "run", "--config", f"{folder}/monitor.toml")
        walks = {
            "a reference to a baseline: `monitor init`": entered(
                *("monitor", "init", "--reference", f"{folder}/reference.parquet", *COLUMNS),
                *("--traffic", f"{folder}/live", "--out", name),
            ),
            "twenty days to their first page: `monitor run`": entered(*run),
        }
        pq.write_table(days(60, 1, wrong=1), folder / "live" / "b.parquet")
        walks["one more window: `monitor run` again"] = entered(*run)
    for walk, codes in walks.items():
        files = {Path(code.co_filename) for code in codes}
        print(f"| {walk} | {len(files)} | {len({file.parent for file in files})} | {len(codes):,} |")
        if "-v" in sys.argv:
            print("\n".join(sorted(str(file.relative_to(ROOT)) for file in files)))


if __name__ == "__main__":
    main()
