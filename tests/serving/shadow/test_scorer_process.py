"""A candidate in a process of its own: whatever it does, the rollout goes on or ends with a reason."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.log.log import TrafficLog
from serving.shadow import scorer_process
from serving.shadow.bundle_scorer import BundleScorer
from serving.shadow.priority import LOWEST_PRIORITY
from serving.shadow.scorer_process import MOST_DEATHS, ProcessLimits, ScorerProcess

pytestmark = pytest.mark.slow

OLD = Path(__file__).parents[2] / "compatibility/version_0_1_0"
BUNDLE = OLD / "models/flights/1"


@pytest.fixture(scope="module")
def logged() -> pa.Table:
    return TrafficLog(OLD / "traffic").read(model="flights").slice(0, 200)


@pytest.fixture
def process() -> Iterator[ScorerProcess]:
    scorer = ScorerProcess(BUNDLE, limits=ProcessLimits(answer_s=20.0))
    yield scorer
    scorer.close()


def child(scorer: ScorerProcess) -> int:
    """The child's process id."""
    own = scorer._process
    assert own is not None
    return own.pid


def again_and_again(scorer: ScorerProcess, logged: pa.Table) -> None:
    for _ in range(MOST_DEATHS + 1):
        scorer.score(logged.slice(0, 5))


def test_it_answers_as_the_bundle_does_in_this_process(logged: pa.Table, process: ScorerProcess) -> None:
    process.check(logged)
    found = process.score(logged)
    here = BundleScorer(BUNDLE).score(logged)
    assert found.answered.all()
    np.testing.assert_array_equal(found.outputs["probabilities"], here.outputs["probabilities"])
    assert os.getpriority(os.PRIO_PROCESS, child(process)) == LOWEST_PRIORITY
    assert process.memory_bytes > 100 << 20
    alone = process.score(logged.slice(0, 3), alone=True)
    assert alone.run_us is not None
    assert alone.run_us.shape == (3,)


def test_an_idle_one_takes_only_time_that_nobody_else_wants(logged: pa.Table) -> None:
    scorer = ScorerProcess(BUNDLE, idle=True)
    try:
        scorer.check(logged)
        threads = {int(thread.name) for thread in Path(f"/proc/{child(scorer)}/task").iterdir()}
        assert {os.sched_getscheduler(thread) for thread in threads} == {os.SCHED_IDLE}
    finally:
        scorer.close()


def test_one_that_was_killed_is_started_again_and_nothing_is_missing(logged: pa.Table, process: ScorerProcess) -> None:
    before = process.score(logged)
    os.kill(child(process), signal.SIGKILL)
    after = process.score(logged)
    assert after.answered.all()
    np.testing.assert_array_equal(after.outputs["probabilities"], before.outputs["probabilities"])


def test_one_that_hangs_is_ended_at_its_deadline(logged: pa.Table) -> None:
    scorer = ScorerProcess(BUNDLE, limits=ProcessLimits(answer_s=2.0))
    scorer.check(logged)
    os.kill(child(scorer), signal.SIGSTOP)
    found = scorer.score(logged.slice(0, 5))
    assert not found.answered.any()
    assert "did not answer in time" in found.reasons[0]
    assert np.isnan(found.outputs["probabilities"]).all()
    assert scorer.score(logged.slice(0, 5)).answered.all()
    scorer.close()


def test_a_wait_for_a_processor_is_no_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    now, waits = [0.0], {"1": 5.0}
    monkeypatch.setattr(scorer_process, "_waits_s", lambda _: dict(waits))
    deadline = scorer_process._Deadline(lambda: now[0], 1, limit_s=10.0)
    now[0], waits["1"], waits["2"] = 15.0, 9.0, 5.1  # it began to wait in another thread
    assert not deadline.has_passed()
    now[0] = 15.2
    assert deadline.has_passed()


def test_one_that_eats_memory_is_ended_and_given_up(logged: pa.Table) -> None:
    scorer = ScorerProcess(BUNDLE, limits=ProcessLimits(memory_bytes=50 << 20))
    with pytest.raises(CannotRun, match=r"dies again and again.*GiB of memory"):
        again_and_again(scorer, logged)


def test_a_program_that_says_something_else_is_given_up(logged: pa.Table) -> None:
    scorer = ScorerProcess(BUNDLE, command=("echo", "hello, I am no scorer at all"))
    with pytest.raises(CannotRun, match="dies again and again"):
        again_and_again(scorer, logged)
    nowhere = closing(ScorerProcess(BUNDLE, command=("/nowhere/program",)))
    with nowhere as scorer, pytest.raises(CannotRun, match="cannot be started"):
        scorer.check(logged)


def test_the_childs_errors_are_this_ones(logged: pa.Table, process: ScorerProcess, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="takes other inputs"):
        process.check(logged.drop_columns(["input:temp"]))
    with closing(ScorerProcess(tmp_path)) as other, pytest.raises(CannotRun, match="The candidate cannot be loaded"):
        other.check(logged)
