"""Bad versions that are promoted by force are taken back, and equal ones are not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from monitoring.errors import BadInput
from monitoring.rollout.decision_rules import rules_of
from monitoring.rollout.drill.bad_versions import bad_versions
from monitoring.rollout.drill.rollback_drill import RollbackRequest, drill_rollbacks
from monitoring.rollout.log.versions import version_in_use
from tests.monitoring.rollout.two_bundles import NOW, FormulaScorer, logged, two_bundles

SECTION = """
[rollout.decide]
guards = ["errors", "calibration"]
min_effect = 0.02
"""
NAMES = ("classes-swapped", "failing", "unit", "channels-swapped")


def test_each_is_taken_back_and_equal_ones_are_not(tmp_path: Path) -> None:
    config = two_bundles(tmp_path, SECTION)
    versions = version_in_use(
        config.model_copy(update={"model": config.model.model_copy(update={"bundle": config.model.folder / "1"})})
    )
    scorer = FormulaScorer(lambda rows: 1.0 - logged(rows))  # the model on inputs in another unit
    told: list[str] = []
    decide = config.rollout.deciding.model_copy(update={"watch_after": timedelta(days=6)})
    request = RollbackRequest(
        rules=rules_of(config), decide=decide, versions=bad_versions(NAMES), replicates=1, equal=12
    )
    drill = drill_rollbacks(versions, scorer, request, now=NOW, progress=told.append)
    swapped, failing, unit, channels = drill.bad
    assert (swapped.outcome, unit.outcome, channels.outcome) == ("rolled back", "rolled back", "does not fit")
    assert all(run.by and run.difference > 0.2 for run in (*swapped.runs, *unit.runs))
    assert [run.rows for run in swapped.runs] == [run.rows for run in unit.runs]
    assert scorer.rows == sum(run.rows for run in unit.runs)  # and none after it was taken back
    assert all(run.difference < 0.1 for run in failing.runs)
    assert len(drill.equal) == 12
    assert not any(run.rolled_back for run in drill.equal)
    assert len(told) == 1


def test_traffic_without_due_labels_is_refused(tmp_path: Path) -> None:
    config = two_bundles(tmp_path, SECTION)
    rules = replace(rules_of(config), horizon=timedelta(days=10_000))
    scorer = FormulaScorer(lambda rows: np.zeros(rows.num_rows))
    versions = replace(version_in_use(config), champion=1)
    with pytest.raises(BadInput, match="no window whose labels are due"):
        drill_rollbacks(
            versions, scorer, RollbackRequest(rules=rules, decide=config.rollout.deciding, versions=()), now=NOW
        )


def test_a_drill_needs_a_bundle(tmp_path: Path) -> None:
    config = two_bundles(tmp_path, SECTION)
    table = config.model.model_copy(update={"bundle": None, "baseline": tmp_path})
    with pytest.raises(BadInput, match="needs a bundle"):
        version_in_use(config.model_copy(update={"model": table}))
