"""What an earlier replay has sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.errors import BadInput
from pitfalls_tf.replay.driver import NOTHING_LOGGED, already_logged
from tests.pitfalls_tf.cli.small_log import labels, run, traffic

__all__ = ["labels", "traffic"]


def test_requests_and_labelled_predictions_are_read_from_the_log(traffic: Path, labels: Path) -> None:
    assert already_logged(traffic).request_ids == {"a", "b"}
    assert already_logged(traffic).labelled == frozenset()
    run("labels", "add", labels, "--traffic", traffic)
    assert already_logged(traffic).labelled == {"a:0", "a:1"}


def test_without_a_log_there_is_nothing_to_resume(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such traffic log"):
        already_logged(tmp_path / "none")
    assert not NOTHING_LOGGED.request_ids
