"""Plug-ins: the example of the page, installed as a distribution of its own, and what is said where one is missing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "how-to" / "plug-in-example"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with what is installed here, and with the example beside it."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    packages = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    (packages / "below.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n", "utf-8")
    # pip builds from a copy, so that nothing is written into this repository
    source = tmp_path_factory.mktemp("source") / "example"
    for path in EXAMPLE.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            (source / path.relative_to(EXAMPLE)).parent.mkdir(parents=True, exist_ok=True)
            (source / path.relative_to(EXAMPLE)).write_bytes(path.read_bytes())
    pip = (sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet")
    subprocess.run([*pip, "--no-index", "--no-deps", "--no-build-isolation", str(source)], check=True)
    return folder / "bin" / "python"


def table(first: datetime, days: int, *, broken: bool) -> pa.Table:
    """A hundred rows a day, whose income is in cents where they are broken."""
    count = days * 100
    draw = np.random.default_rng(days)
    score = draw.uniform(0.05, 0.95, count)
    return pa.table(
        {
            "id": [f"{first:%m}-{row}" for row in range(count)],
            "ts": [first + timedelta(seconds=864 * row) for row in range(count)],
            "income": draw.normal(2000.0, 300.0, count) * (100.0 if broken else 1.0),
            "p": score,
            "y": (draw.random(count) < score).astype(int),
        }
    )


def run(python: Path, folder: Path, *words: str, allowed: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
    command = [str(python), "-m", "pitfalls_tf", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode in allowed, done.stdout + done.stderr
    return done


#: Several calls of the command line in one process, each in its folder: exit code, stdout and stderr of each.
CALLS = """
import json, os, sys
from click.testing import CliRunner
from pitfalls_tf.cli import pitfalls
said = []
for folder, words in json.loads(sys.argv[1]):
    os.chdir(folder)
    done = CliRunner().invoke(pitfalls, words)
    said.append((done.exit_code, done.stdout, done.stderr))
json.dump(said, sys.stdout)
"""


def run_all(python: Path, calls: list[tuple[Path, tuple[str, ...]]]) -> list[tuple[int, str, str]]:
    command = [str(python), "-c", CALLS, json.dumps([(str(folder), words) for folder, words in calls])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [(code, said, failed) for code, said, failed in json.loads(done.stdout)]


def without_moments(listed: str) -> list[dict[str, object]]:
    """What was judged, without when."""
    return [
        {name: value for name, value in window.items() if "_at" not in name} for window in json.loads(listed)["windows"]
    ]


def test_the_example_is_installed_and_its_engine_and_route_are_used(environment: Path, tmp_path: Path) -> None:
    pq.write_table(table(datetime(2026, 1, 1, tzinfo=UTC), 40, broken=False), tmp_path / "reference.parquet")
    pq.write_table(table(datetime(2026, 2, 10, tzinfo=UTC), 3, broken=True), tmp_path / "live.parquet")
    columns = ("--event-time", "ts", "--prediction-id", "id", "--score", "p", "--label", "y")
    run(environment, tmp_path, "monitor", "init", "--reference", "reference.parquet", *columns, "--out", "made")
    local, threads, broken = folders = [tmp_path / name for name in ("local", "threads", "broken")]
    options = {local: "", threads: "threads = 3", broken: "threads = 0"}
    for folder in folders:
        shutil.copytree(tmp_path / "made", folder)
        route = f'[[notify]]\nroute = "file"\noptions = {{ path = "{folder / "messages"}" }}\n'
        engine = f'[engine]\nkind = "threads"\noptions = {{ {options[folder]} }}\n' if options[folder] else ""
        with (folder / "monitor.toml").open("a", encoding="utf-8") as config:
            config.write(f"\n{engine}{route}")
    judge, list_windows = ("monitor", "run", "--traffic", "../live.parquet"), ("monitor", "windows", "--json")
    said = run_all(
        environment, [(local, judge), (local, list_windows), (threads, judge), (threads, list_windows), (broken, judge)]
    )
    assert [code for code, _, _ in said] == [1, 0, 1, 0, 3], said
    assert "The engine threads failed. Got ValueError" in said[4][2]
    for folder in (local, threads):
        (message, *_) = [json.loads(line) for line in (folder / "messages").read_text("utf-8").splitlines()]
        assert message["incident"]["level"] == "page"
        assert "income" in json.dumps(message)
    assert without_moments(said[1][1]) == without_moments(said[3][1]) != []


def test_the_reader_of_the_example_is_found_by_its_name(environment: Path, tmp_path: Path) -> None:
    rows = table(datetime(2026, 1, 1, tzinfo=UTC), 30, broken=False).to_pylist()
    lines = (f'{row["id"]}\t{row["ts"].isoformat()}\t{{"income": {row["income"]}}}\t[{row["p"]}]' for row in rows)
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "a.csv").write_text("\n".join(["no call", *lines]), "utf-8")
    made = run(environment, tmp_path, "monitor", "init", "--log", "pairs", "--reference", "log", "--task", "inputs")
    assert "The log has 3,000 rows of 3,000 calls, and 0 labels." in made.stderr
    assert "1 record of the log is unreadable, or of another version of its format, and left out." in made.stderr
    assert "income" in made.stdout


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ('[engine]\nkind = "thread"\n', 'no such engine. Got "thread"; expected one of: local, processes, sql, spark'),
        ('[engine]\nkind = "dask"\noptions = { threads = 2 }\n', "Install the plug-in of that name"),
        ("[engine]\noptions = { threads = 2 }\n", "options are those of a plug-in"),
        ('[[notify]]\nroute = "fil"\n', 'unknown route. Got "fil"; expected one of: webhook, slack'),
    ],
)
def test_a_config_that_names_no_installed_plug_in_is_refused_by_name(tmp_path: Path, section: str, said: str) -> None:
    config = tmp_path / "monitor.toml"
    config.write_text(f'[model]\nbaseline = "baseline"\n[store]\nurl = "sqlite:///x.db"\n{section}', "utf-8")
    done = run(Path(sys.executable), tmp_path, "monitor", "run", "--config", str(config), allowed=(2,))
    assert re.search(said, done.stderr), done.stderr
    assert "Traceback" not in done.stderr
