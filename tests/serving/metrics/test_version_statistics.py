"""Statistics of a version: requests, rows, runs, and the time that each step took."""

from __future__ import annotations

from serving.metrics.version_statistics import BATCH_SIZES, StepTimes, VersionStatistics


def test_times_of_a_run_count_for_each_of_its_requests() -> None:
    statistics = VersionStatistics()
    statistics.ran([2, 1], [5, 7], StepTimes(1_000, 10_000, 100), ended_us=1_700_000_000_123_456)
    statistics.ran([3], [0], StepTimes(2_000, 20_000, 200), ended_us=1_700_000_000_200_999)
    statistics.failed(4)
    assert statistics.document() == {
        "last_inference": 1_700_000_000_200,
        "inference_count": 6,
        "execution_count": 2,
        "inference_stats": {
            "success": {"count": 3, "ns": 12_000 + 2 * 11_100 + 22_200},
            "fail": {"count": 1, "ns": 4_000},
            "queue": {"count": 3, "ns": 12_000},
            "compute_input": {"count": 3, "ns": 4_000},
            "compute_infer": {"count": 3, "ns": 40_000},
            "compute_output": {"count": 3, "ns": 400},
        },
        "batch_stats": [
            {
                "batch_size": 3,
                "compute_input": {"count": 2, "ns": 3_000},
                "compute_infer": {"count": 2, "ns": 30_000},
                "compute_output": {"count": 2, "ns": 300},
            }
        ],
    }


def test_a_clock_that_is_set_back_or_far_forward_breaks_nothing() -> None:
    statistics = VersionStatistics()
    statistics.ran([1, 1], [-5, 2], StepTimes(0, 0, 0), ended_us=0)
    statistics.failed(-5)
    found = statistics.document()["inference_stats"]
    assert (found["queue"]["ns"], found["fail"]["ns"]) == (2_000, 0)
    statistics.ran([1], [2**62], StepTimes(0, 0, 0), ended_us=0)
    assert statistics.document()["inference_stats"]["queue"]["ns"] == 2**64 - 1


def test_clients_cannot_make_it_grow_without_end() -> None:
    statistics = VersionStatistics()
    for size in range(1, BATCH_SIZES + 10):
        statistics.ran([size], [0], StepTimes(1, 1, 1), ended_us=0)
    statistics.ran([1], [0], StepTimes(1, 1, 1), ended_us=0)
    document = statistics.document()
    assert (len(document["batch_stats"]), document["execution_count"]) == (BATCH_SIZES, BATCH_SIZES + 10)
    assert document["batch_stats"][0]["compute_infer"] == {"count": 2, "ns": 2}
