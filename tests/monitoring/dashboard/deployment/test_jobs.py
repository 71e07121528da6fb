from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from monitoring.config import MonitorConfig, load_config
from monitoring.dashboard.deployment.jobs import Jobs, config_table, heartbeat_of, jobs_view
from monitoring.dashboard.view.history import DeploymentHistory
from monitoring.store.checks import Check
from monitoring.store.leases import LeaseRecord
from monitoring.watches.descriptions import NOTHING
from tests.dashboard_store import NOW

CONFIG = """\
[model]
bundle = "models/flights"
[traffic]
path = "traffic"
"""


def config_of(path: Path, more: str = "") -> MonitorConfig:
    (path / "monitor.toml").write_text(CONFIG + more)
    return load_config(path / "monitor.toml")


def test_jobs_say_when_all_was_judged_and_who_judges_now(history: DeploymentHistory, tmp_path: Path) -> None:
    lease = LeaseRecord(deployment=1, owner="monitor-1", expires_at=NOW + timedelta(minutes=1))
    jobs = Jobs(runs=(), outbox=(), check=Check(checked_at=NOW), lease=lease, config=config_of(tmp_path))
    facts = dict(jobs_view(jobs, history.summary, "/d/shop/1", NOW).facts)
    assert facts["Last complete run"] == "2013-05-11 12:00"
    assert facts["Next window due from"] == NOTHING
    assert facts["Judging now"] == "yes, by monitor-1"
    assert (facts["Notified"], facts["Heartbeat"]) == ("nobody", "none")
    later = dict(jobs_view(jobs, history.summary, "/d/shop/1", NOW + timedelta(hours=1)).facts)
    assert later["Judging now"] == "no"


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ('url = "https://hc.example.org/secret"', "https://hc.example.org/…"),
        ('url_file = "heartbeat"', "URL in the file "),
        ('url_env = "HEARTBEAT_URL"', "URL in the variable HEARTBEAT_URL"),
    ],
)
def test_the_heartbeat_is_named_without_its_secret(tmp_path: Path, setting: str, text: str) -> None:
    assert heartbeat_of(config_of(tmp_path, f"[heartbeat]\n{setting}\n")).startswith(text)


def test_a_config_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    table = config_table([("bad.toml", None, "It is no TOML."), ("monitor.toml", config_of(tmp_path), "")], 2)
    assert [row[1].text for row in table.rows] == ["", "flights"]
    assert [row[5].text for row in table.rows] == ["It is no TOML.", NOTHING]
    assert {len(row) for row in table.rows} == {len(table.columns)}
