from __future__ import annotations

import numpy as np
import pytest

from monitoring.evidence.calibration import calibrated_log_scale
from monitoring.evidence.level import LevelState
from monitoring.judging.judge_state import JudgeState
from monitoring.records import IncidentRecord, WatchKey
from monitoring.sentences.incident_text import incident_text
from tests.monitoring.judging.rare_class import BASELINE_DAYS, PLAN, fraud_days, fraud_judge

WINDOWS = 30


def incidents(days: int, *, seed: int, halved: bool = False, shift: float = 0.0) -> list[IncidentRecord]:
    """The incidents that days of traffic open, with the page level calibrated as a run does it."""
    judge = fraud_judge()
    scale = calibrated_log_scale(judge.fit.tests["page"].paging(), judge.fit.means, np.random.default_rng(0))
    state = JudgeState(levels={"page": LevelState(log_scale=scale), "notice": LevelState()})
    rows = fraud_days(BASELINE_DAYS, days, seed=seed, halved=halved, shift=shift)
    found = judge.run([judge.traffic(rows, BASELINE_DAYS + day) for day in range(days)], state)
    return [one for step in found for one in step.changed if one.opened_at == step.window.end]


@pytest.mark.slow
def test_half_of_the_recall_in_the_top_scores_lost_at_four_frauds_in_a_thousand_is_paged_within_thirty_windows() -> (
    None
):
    pages = [one for one in incidents(WINDOWS, seed=7, halved=True) if one.level == "page"]
    assert [one.watch.rpartition("rank:")[1:] for one in pages] == [("rank:", "fraud")]
    assert "Ranking loss of class fraud" in incident_text(pages[0]).cause


@pytest.mark.slow
def test_easier_rows_that_the_model_is_as_right_on_open_no_page() -> None:
    found = incidents(WINDOWS, seed=7, shift=-0.3)
    assert not [one for one in found if one.level == "page"]


@pytest.mark.slow
def test_a_rare_class_is_judged_every_few_windows_though_each_has_far_fewer_than_min_rows() -> None:
    judge = fraud_judge(("label",))
    rare = WatchKey(watch="error", slice="label=fraud")
    test = judge.fit.tests["page"]
    assert test.rows_needed(rare) < 40 < PLAN.min_rows
    assert judge.fit.means[rare].size >= 20
    assert judge.fit.unfitted == ()
