"""Statistics of one loaded version of a model, as the protocol of Triton's statistics extension tells them."""

from __future__ import annotations

from typing import Any, NamedTuple, final

#: Runs are told apart by their number of rows, which clients choose: further numbers are in the totals alone.
BATCH_SIZES = 1024
#: The protocol's numbers have 64 bits; a clock that was set forward by years makes any wait seem as long.
LARGEST = 2**64 - 1
STEPS = ("compute_input", "compute_infer", "compute_output")


class StepTimes(NamedTuple):
    """How long the steps of a run took, in nanoseconds."""

    input_ns: int
    """Reading and joining the inputs."""
    infer_ns: int
    """The model."""
    output_ns: int
    """Writing the answers."""


@final
class VersionStatistics:
    """Counts of requests and runs, and the time that they took, since the version was loaded.

    Written where models run, in one thread at a time; `document` may read in another.

    >>> statistics = VersionStatistics()
    >>> statistics.ran([2, 1], [5, 7], StepTimes(1_000, 10_000, 100), ended_us=0)
    >>> statistics.document()["inference_count"], statistics.document()["execution_count"]
    (3, 1)
    """

    def __init__(self) -> None:
        self._last_us = 0
        self._rows = 0
        self._runs = 0
        self._succeeded = self._failed = 0
        self._fail_ns = self._queue_us = 0
        self._steps_ns = [0, 0, 0]  # of each run once for each of its requests
        self._batches: dict[int, list[int]] = {}  # by rows of a run: its steps, and the number of runs

    def ran(self, rows: list[int], waited_us: list[int], steps: StepTimes, *, ended_us: int) -> None:
        """Count a run.

        Args:
            waited_us: How long each of them had waited when it began, in microseconds; below 0 where the clock of the
                machine was set back meanwhile, which counts as 0.
            ended_us: When it ended, in microseconds since 1970.
        """
        requests, size = len(rows), sum(rows)
        self._last_us = ended_us
        self._rows += size
        self._runs += 1
        self._succeeded += requests
        self._queue_us += sum(waited_us) if min(waited_us) >= 0 else sum([max(0, wait_us) for wait_us in waited_us])
        batch = self._batches.get(size)
        if batch is None and len(self._batches) < BATCH_SIZES:
            batch = self._batches[size] = [0, 0, 0, 0]
        input_ns, infer_ns, output_ns = steps
        totals = self._steps_ns
        totals[0] += requests * input_ns  # not in a loop, which would cost as much as all the rest
        totals[1] += requests * infer_ns
        totals[2] += requests * output_ns
        if batch is not None:
            batch[0] += input_ns
            batch[1] += infer_ns
            batch[2] += output_ns
            batch[3] += 1

    def failed(self, took_us: int) -> None:
        """Count a request that the model could not answer, so many microseconds after its arrival."""
        self._failed += 1
        self._fail_ns += 1000 * max(0, took_us)

    def document(self) -> dict[str, Any]:
        """The statistics under the protocol's names; times in nanoseconds, the last run in milliseconds since 1970."""
        steps, queue_ns = dict(zip(STEPS, self._steps_ns, strict=True)), 1000 * self._queue_us
        return {
            "last_inference": self._last_us // 1000,
            "inference_count": self._rows,
            "execution_count": self._runs,
            "inference_stats": {
                "success": _duration(self._succeeded, queue_ns + sum(steps.values())),
                "fail": _duration(self._failed, self._fail_ns),
                "queue": _duration(self._succeeded, queue_ns),
                **{name: _duration(self._succeeded, took_ns) for name, took_ns in steps.items()},
            },
            "batch_stats": [
                {"batch_size": size}
                | {name: _duration(batch[3], took_ns) for name, took_ns in zip(STEPS, batch, strict=False)}
                for size, batch in sorted(self._batches.copy().items())
            ],
        }


def _duration(count: int, took_ns: int) -> dict[str, int]:
    return {"count": count, "ns": min(took_ns, LARGEST)}
