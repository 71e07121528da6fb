"""A baseline that is gone, damaged or of another format is one error, which says how to write it again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result

Pitfalls = Callable[..., Result]
AGAIN = "Write it again, from the reference table: pitfalls monitor init --force."


@pytest.fixture
def adopted(pitfalls: Pitfalls, tmp_path: Path) -> Path:
    """A folder with a reference, and the config and baseline made of it."""
    rng, count = np.random.default_rng(0), 3_000
    p = rng.random(count)
    table = pa.table(
        {
            "ts": pa.array(1_704_067_200_000_000 + np.arange(count) * 600_000_000).cast(pa.timestamp("us", "UTC")),
            "x": rng.normal(size=count),
            "p": p,
            "y": (rng.random(count) < p).astype(int),
        }
    )
    pq.write_table(table, tmp_path / "REF.parquet")
    assert init(pitfalls, tmp_path).exit_code == 0
    return tmp_path


def init(pitfalls: Pitfalls, folder: Path, *more: str) -> Result:
    """`monitor init` in a folder."""
    asked = ("--event-time", "ts", "--score", "p", "--label", "y", "--rows", "300", "--out", folder)
    return pitfalls("monitor", "init", "--reference", folder / "REF.parquet", *asked, *more)


def run(pitfalls: Pitfalls, folder: Path) -> Result:
    """`monitor run` on the reference itself."""
    return pitfalls("monitor", "run", "--config", folder / "monitor.toml", "--traffic", folder / "REF.parquet")


def cut_off(path: Path) -> None:
    """The first thousand bytes."""
    path.write_bytes(path.read_bytes()[:1_000])


def scratched(path: Path) -> None:
    """Another byte in each place of the middle, where columns are."""
    content = bytearray(path.read_bytes())
    content[100:-20_000] = bytes(255 - byte for byte in content[100:-20_000])
    path.write_bytes(content)


def shorter(path: Path) -> None:
    """Fewer rows than were written."""
    pq.write_table(pq.read_table(path).slice(5), path)


def without_a_column(path: Path) -> None:
    """All rows, without an input."""
    pq.write_table(pq.read_table(path).drop_columns(["x"]), path)


def described(content: bytes) -> Callable[[Path], object]:
    """Something else in a file."""
    return lambda path: path.write_bytes(content)


def of_format_9(path: Path) -> None:
    """A description that a later version wrote."""
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 9}))


@pytest.mark.parametrize(
    ("name", "damage", "part"),
    [
        ("reference.parquet", cut_off, "The baseline cannot be read. Got "),
        ("reference.parquet", scratched, "The baseline cannot be read. Got "),
        ("reference.parquet", shorter, "2,995 rows; expected 3,000 rows"),
        ("reference.parquet", without_a_column, "no column x; expected"),
        ("reference.parquet", Path.unlink, "There is no baseline here."),
        ("baseline.json", described(b"garbage\n"), "The baseline cannot be read. Got "),
        ("baseline.json", described(b"[1]"), "The baseline cannot be read. Got "),
        ("baseline.json", described(b'{"format": 1, "classes": 3}'), "The baseline cannot be read. Got "),
        ("baseline.json", described(b"\xff\xfe"), "The baseline cannot be read. Got "),
        ("baseline.json", of_format_9, "The baseline has another format. Got format 9"),
        ("schema.pbtxt", described(b"garbage"), "The baseline's schema cannot be read. Got "),
        ("schema.pbtxt", Path.unlink, "The baseline has no schema. Got "),
    ],
)
def test_a_damaged_baseline_is_one_error_and_init_writes_it_again(
    adopted: Path, pitfalls: Pitfalls, name: str, damage: Callable[[Path], object], part: str
) -> None:
    damage(adopted / "baseline" / name)
    result = run(pitfalls, adopted)
    assert (result.exit_code, result.stdout) == (3, ""), result.output
    assert part in result.stderr
    assert AGAIN in result.stderr
    assert "Traceback" not in result.stderr
    if name != "schema.pbtxt":
        assert init(pitfalls, adopted, "--force").exit_code == 0
        assert run(pitfalls, adopted).exit_code == 0


def test_a_damaged_baseline_of_a_bundle_is_exported_again(adopted: Path, pitfalls: Pitfalls) -> None:
    extras = adopted / "models" / "own" / "1" / "assets.extra"
    extras.mkdir(parents=True)
    shutil.move(adopted / "baseline", extras / "baseline")
    cut_off(extras / "baseline" / "reference.parquet")
    config = adopted / "monitor.toml"
    config.write_text(config.read_text().replace('baseline = "baseline"', 'bundle = "models/own"'))
    result = run(pitfalls, adopted)
    assert result.exit_code == 3
    assert "Export the bundle again, with a reference table." in result.stderr
