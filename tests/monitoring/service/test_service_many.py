"""One service that judges five hundred deployments, each with a store of its own, and may open 256 files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.monitor_service import served
from tests.needs import missing
from tests.own_table import own_rows, watch
from tests.small_deployment import Days

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

DEPLOYMENTS, FILES = 500, 256


def test_256_files_are_enough_to_judge_500_deployments(tmp_path: Path) -> None:
    if shutil.which("prlimit") is None:
        missing("prlimit is not installed (apt-get install util-linux)")
    template = watch(tmp_path / "template", traffic="live").adopted.config.parent
    (template / "live").mkdir()
    pq.write_table(own_rows(Days(days=1)), template / "live" / "a.parquet")
    for number in range(DEPLOYMENTS):
        shutil.copytree(template, tmp_path / "monitors" / f"{number:03d}")
    with served(tmp_path / "monitors", prefix=["prlimit", f"--nofile={FILES}:{FILES}"]) as service:
        judged = "monitor.toml: Evaluated 1 window"
        service.wait_until(lambda: sum(judged in line for line in service.lines) == DEPLOYMENTS, patience=600)
        metrics = service.get("metrics").text
        assert metrics.count("pitfalls_last_success_timestamp_seconds{") == DEPLOYMENTS
        assert "pitfalls_unreadable_configs 0.0" in metrics
        assert "pitfalls_failing_config{" not in metrics
        assert len(list(Path(f"/proc/{service.process.pid}/fd").iterdir())) < FILES / 4
        assert service.stop() == 0
    assert not any("Error" in line for line in service.lines), service.lines
