"""The files of other servers' loggers, as a *coming from* page writes them, and its two commands to a verdict."""

from __future__ import annotations

import json
import re
import shlex
from inspect import getsource
from pathlib import Path
from typing import Any

import pytest

from monitoring.traffic.foreign_logs import formats, tensorflow_serving
from tests.docs.test_coming_from import PAGES, blocks, run
from tests.docs.test_coming_from import interpreter as python_of
from tests.pitfalls_tf.cli.small_log import run as pitfalls

LOGS = [page for page in sorted(PAGES.glob("*.md")) if "monitor init --log" in page.read_text("utf-8")]
pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=page.stem, marks=[] if page.stem in {"vertex", "feast"} else pytest.mark.slow)
        for page in LOGS
    ],
)
def test_the_pages_files_and_commands_find_what_is_broken(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = blocks(PAGES / "index.md")[0].code
    for block in blocks(page):
        if not block.tool and block.code != code:
            code += "\n" + block.code
    run(code, python_of(blocks(page)[0])[0], tmp_path)
    monkeypatch.chdir(tmp_path)
    text = page.read_text("utf-8")
    init, judge = [shlex.split(line) for line in re.findall(r"^\$ pitfalls (monitor .*)$", text, re.MULTILINE)]
    assert judge == ["monitor", "run"]
    made = pitfalls(*init)
    assert made.exit_code == 0, made.output
    assert "The log has 6,000 rows of 6,000 calls" in made.stderr
    judged = pitfalls(*judge, "--json")
    assert judged.exit_code == 1, judged.output
    incidents = [one for one in json.loads(judged.stdout)["incidents"] if one["level"] == "page"]
    named = [one["opened_at"] for one in incidents if "income" in json.dumps(one)]
    assert named
    assert min(named) > "2026-03-14"


def test_every_format_has_its_page() -> None:
    text = "".join(page.read_text("utf-8") for page in LOGS)
    assert {name for name in formats.FORMATS if f"monitor init --log {name} " in text} == set(formats.FORMATS)


def test_the_table_of_logs_has_the_lines_of_the_readers() -> None:
    readers: dict[str, tuple[Any, ...]] = {
        "sagemaker": (formats.read_sagemaker, formats._captured, formats._unpacked),
        "kserve": (formats.read_kserve, formats._unpacked),
        "vertex": (formats._read_rows, formats._text),
        "databricks": (formats._read_rows, formats._text),
        "mlserver": (formats.read_open_inference, formats._body_id, formats._text),
        "feast": (formats.read_feast, formats._is_feature, formats._cell),
        "tensorflow-serving": (tensorflow_serving,),
    }
    lines = {name: sum(len(getsource(part).splitlines()) for part in parts) for name, parts in readers.items()}
    rows = re.findall(
        r"^\| \[[^]]+\]\((.+)\.md\) \| 2 \| [^|]*\| (\d+) \|", (PAGES / "index.md").read_text("utf-8"), re.MULTILINE
    )
    assert {name: int(count) for name, count in rows} == lines
