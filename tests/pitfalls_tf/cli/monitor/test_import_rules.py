"""``pitfalls monitor import-rules``."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

Pitfalls = Callable[..., Result]

SCHEMA = 'feature { name: "fare" type: FLOAT float_domain { min: 0.0 } %s }'


def test_sections_are_printed_and_what_is_no_rule_is_listed(pitfalls: Pitfalls, tmp_path: Path) -> None:
    path = tmp_path / "schema.pbtxt"
    path.write_text(SCHEMA % "")
    done = pitfalls("monitor", "import-rules", path)
    assert (done.exit_code, done.stderr) == (0, "")
    assert tomllib.loads(done.stdout) == {"rule": [{"name": "fare is in range", "column": "fare", "low": 0.0}]}
    path.write_text(SCHEMA % "value_count { min: 1 }")
    partly = pitfalls("monitor", "import-rules", path)
    assert (partly.exit_code, "Not taken over: fare: value_count" in partly.stderr) == (1, True)


def test_a_file_that_is_neither_is_refused(pitfalls: Pitfalls, tmp_path: Path) -> None:
    done = pitfalls("monitor", "import-rules", tmp_path / "gone.json")
    assert (done.exit_code, "No rules can be read" in done.stderr) == (2, True)
