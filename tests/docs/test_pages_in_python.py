"""Pages with Python that a reader types: every block runs, and prints what the page says that it prints."""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from monitoring.notebook.result import MonitorResult
from monitoring.records import IncidentRecord

ROOT = Path(__file__).parents[2]
TEST_FILE = re.compile(r"<!-- pytest -->\n```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(
    r"(?<!<!-- pytest -->\n)^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL
)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def run(page: Path) -> tuple[dict[str, Any], int]:
    """Run the blocks of a page, one after the other.

    Returns:
        The names that they leave, and how many outputs were compared.
    """
    names: dict[str, Any] = {"__name__": "page"}
    compared = 0
    for code, expected in BLOCK.findall(page.read_text("utf-8")):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, str(page), "exec"), names)  # noqa: S102 - a page of this repository
        if expected:
            compared += 1
            assert doctest.OutputChecker().check_output(expected, printed.getvalue(), FLAGS), printed.getvalue()
    return names, compared


def test_the_worked_example_has_the_figures_of_its_page() -> None:
    names, compared = run(ROOT / "docs" / "concepts" / "one-watch.md")
    assert compared == 4
    assert names["detector"].n_windows == 14


def test_the_page_of_the_detector_prints_what_it_says() -> None:
    assert run(ROOT / "docs" / "reference" / "drift-detector.md")[1] == 2


@pytest.mark.slow
def test_the_page_of_notebooks_runs_and_its_test_file_fails_where_the_table_is_bad(tmp_path: Path) -> None:
    page = ROOT / "docs" / "reference" / "notebook.md"
    names, compared = run(page)
    assert compared == 1
    (code,) = TEST_FILE.findall(page.read_text("utf-8"))
    (tmp_path / "test_release.py").write_text(code, "utf-8")
    names["reference"].to_parquet(tmp_path / "reference.parquet")
    command = [sys.executable, "-m", "pytest", "-q", "--override-ini=addopts=", "test_release.py"]
    for live, code_of_exit in ((names["live"], 0), (names["live"].assign(y=~names["live"]["y"]), 1)):
        live.to_parquet(tmp_path / "live.parquet")
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == code_of_exit, done.stdout + done.stderr


def test_an_output_that_differs_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n", "utf-8")
    with pytest.raises(AssertionError, match="2"):
        run(page)


def test_pages_ask_results_and_incidents_for_what_these_have() -> None:
    """What runs only with every test, `test_coming_from` and `test_notebooks`, fails here too if a name is gone."""
    names = {"result": MonitorResult, "incident": IncidentRecord}
    asked = Counter[str]()
    for page in sorted((ROOT / "docs").rglob("*")):
        text = page.read_text("utf-8") if page.suffix in {".md", ".ipynb"} else ""
        if "Monitor.from_reference(" not in text:
            continue
        for name, attribute in re.findall(r"(?<![\w.])(result|incident)\.(\w+)", text):
            assert hasattr(names[name], attribute), f"{page.name}: {name}.{attribute}"
            asked[name] += 1
    assert min(asked["result"], asked["incident"]) > 5
