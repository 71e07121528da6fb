"""``pitfalls rollout plan``."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from pitfalls_tf.cli import pitfalls
from tests.monitoring.rollout.two_bundles import two_bundles

SPLIT = """
[rollout]
mode = "split"
key = "user_id"
"""


def test_a_split_has_no_plan_of_pairs(tmp_path: Path) -> None:
    two_bundles(tmp_path, SPLIT)
    result = CliRunner().invoke(pitfalls, ["rollout", "plan", "--config", str(tmp_path / "monitor.toml")])
    assert result.exit_code == 2
    assert "A split is not planned" in result.output
