"""docs/operate.md and the units in deploy/ run verbs and flags that exist, and name files that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from docs.reference_tables import verbs
from tests.contracts.test_command_line_reference import flags

VERBS = dict(verbs())
COMMAND = re.compile(r"^(?:ExecStart=\S+ \S+/)?(pitfalls .+)$", re.MULTILINE)


def commands(root: Path) -> list[str]:
    """Every command line of the page's code blocks and of the units."""
    page = (root / "docs" / "operate.md").read_text("utf-8")
    units = [path.read_text("utf-8") for path in sorted((root / "deploy" / "systemd").glob("*.service"))]
    blocks = re.findall(r"```\n(.*?)```", page, re.DOTALL)
    return [found for text in (*blocks, *units) for found in COMMAND.findall(text)]


@pytest.fixture(scope="module")
def root(pytestconfig: pytest.Config) -> Path:
    return pytestconfig.rootpath


def test_every_command_has_a_verb_and_flags_that_exist(root: Path) -> None:
    found = commands(root)
    assert len(found) > 12
    for line in found:
        words = shlex.split(line)
        verb = next((" ".join(words[:n]) for n in (4, 3, 2) if " ".join(words[:n]) in VERBS), None)
        assert verb is not None, line
        used = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert used <= flags(VERBS[verb]), line
        if not any(isinstance(one, click.Argument) for one in VERBS[verb].params):
            values = [word for word in words[len(verb.split()) :] if not word.startswith("--")]
            assert len(values) <= len(used), line
