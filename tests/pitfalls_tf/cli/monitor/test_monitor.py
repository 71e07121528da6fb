"""Small files of pitfalls_tf.cli.monitor, each test named after what it is about."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from click.testing import Result

from monitoring.config import load_config
from monitoring.store.store import Store
from tests.small_deployment import bundle, days, deploy, deployed, send

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


__all__ = ["bundle", "days", "deploy", "deployed", "send"]


def test_a_lease_that_is_held_refuses_a_run_and_can_be_ended(
    pitfalls: Callable[..., Result], deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=1))
    config = deployed / "monitor.toml"
    pitfalls("monitor", "run", "--config", config)
    assert pitfalls("monitor", "leases", "--config", config).stdout == "No lease is held.\n"
    with Store.open(load_config(config).store.url) as store:
        store.leases.take(1, "killed", datetime.now(UTC), 120)
    send(deployed, days(days=1, start=datetime(2013, 4, 2, tzinfo=UTC), seed=8))
    refused = pitfalls("monitor", "run", "--config", config)
    assert refused.exit_code == 3
    assert "pitfalls monitor leases --release" in refused.stderr
    assert "1  held by killed until " in pitfalls("monitor", "leases", "--config", config).stdout
    released = pitfalls("monitor", "leases", "--config", config, "--release", "1", "--json")
    assert json.loads(released.stdout) == {"leases": []}
    assert pitfalls("monitor", "leases", "--config", config, "--release", "1").exit_code == 2
    assert pitfalls("monitor", "run", "--config", config).exit_code == 0


def test_reports_are_written_and_the_window_is_checked(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=12))
    config, out = deployed / "monitor.toml", deployed / "report"
    pitfalls("monitor", "run", "--config", config)
    result = pitfalls("monitor", "report", "--config", config, "--out", out, "--no-drift", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert Path(document["page"]).read_text().startswith("<!doctype html>")
    assert Path(document["picture"]).read_bytes().startswith(b"\x89PNG")
    assert document["drift_html"] is None
    wrong = pitfalls("monitor", "report", "--config", config, "--out", deployed / "report.html")
    assert (wrong.exit_code, (deployed / "report.html").exists()) == (2, False)
    assert "--out is a folder." in wrong.stderr
    wrong = pitfalls("monitor", "report", "--config", config, "--out", out, "--window", "2012-01-01")
    assert wrong.exit_code == 2
    assert "a day from 2013-04-01 to 2013-04-12" in wrong.stderr
