"""The same job by the other tool and by this one: every block of a *coming from* page runs, and prints what it says.

A comment before a block says where it runs: `in: NAME` in an environment of `make test-all` of its own, `with: NAME`
in the project's with that one's libraries behind it, `in: project` and none in the project's.
"""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.needs import missing

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "how-to" / "coming-from"
BLOCK = re.compile(
    r"^(?:<!-- (in|with): (\S+) -->\n)?```python\n(.*?)^```\n(?:\n```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL
)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block of code: in which environment it runs, what it is, and what it prints."""

    environment: str
    code: str
    expected: str

    @property
    def tool(self) -> str:
        """The environment of tools that it needs, empty for none."""
        return "" if self.environment == "project" else self.environment.partition(" ")[2]


def blocks(page: Path) -> list[Block]:
    """The blocks of a page, in order."""
    return [
        Block(environment="project" if name in {"", "project"} else f"{how} {name}", code=code, expected=expected)
        for how, name, code, expected in BLOCK.findall(page.read_text("utf-8"))
    ]


def interpreter(block: Block) -> tuple[Path, str]:
    """The Python that runs a block, and a line that goes before it."""
    if not block.tool:
        return Path(sys.executable), ""
    python = ROOT / ".venv-tools" / block.tool / "bin" / "python"
    if not python.exists():
        missing(f"{block.tool} is not there: make .venv-tools/ready")
    if block.environment.startswith("in "):
        return python, ""
    libraries = next((python.parents[1] / "lib").glob("python3*")) / "site-packages"
    return Path(sys.executable), f"import sys; sys.path.append({str(libraries)!r})\n"


def run(code: str, python: Path, folder: Path) -> str:
    """What a script prints, run in a folder."""
    done = subprocess.run([python, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


#: Pages that show what their blocks print; others have the files of a logger (`test_coming_from_logs`).
COMPARED = [page for page in sorted(PAGES.glob("*.md")) if "monitor init --log" not in page.read_text("utf-8")] + [
    PAGES / "tensorflow-serving.md"
]


@pytest.mark.parametrize("page", COMPARED, ids=lambda page: page.stem)
def test_the_job_runs_by_both_tools(page: Path, tmp_path: Path) -> None:
    job = blocks(PAGES / "index.md")[0].code
    there = [block for block in blocks(page) if block.code != job]
    assert any(block.expected for block in there), "a page shows what its blocks print"
    for environment in dict.fromkeys(block.environment for block in there):
        mine = [block for block in there if block.environment == environment]
        python, first = interpreter(mine[0])
        mark = "# --- the next block ---"
        script = first + job + "".join(f"\nprint({mark!r})\n{block.code}" for block in mine)
        for block, printed in zip(mine, run(script, python, tmp_path).split(mark)[1:], strict=True):
            if block.expected:
                assert doctest.OutputChecker().check_output(block.expected, printed.strip() + "\n", FLAGS), printed
