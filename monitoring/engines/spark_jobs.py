"""Jobs of Spark: waited for while something else is done, and what their failures say."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from typing import Any

import pyarrow as pa

from monitoring.errors import BadInput, CannotRun, PitfallsError

#: Seconds between two calls of what is done while a job is waited for.
MEANWHILE_SECONDS = 10.0

#: Rows of the job that asks executors, so that no processor of a cluster has none.
PROBED = 1 << 16

#: How often a job that is to end is interrupted, a second apart.
INTERRUPTS = 30

#: The oldest pyarrow that executors may have: an older one does not read what is sent.
OLDEST_PYARROW = 19

#: Before the error of a task, in the text of the exception that ends its job.
TASK_ERROR = "pitfalls-task-error: "


def collected(spark: Any, action: Callable[[], Any], meanwhile: Callable[[], None]) -> Any:
    """What a job comes to, while something is done now and then. What ends this ends the job."""
    tag = f"pitfalls-{uuid.uuid4().hex}"
    # A classic session knows a tag in the thread alone that has added it; its context knows it in all.
    is_connect = type(spark).__module__.startswith("pyspark.sql.connect")
    mark = spark.addTag if is_connect else spark.sparkContext.addJobTag
    end = spark.interruptTag if is_connect else spark.sparkContext.cancelJobsWithTag
    outcome: list[Any] = []

    def collect() -> None:
        try:
            mark(tag)
            outcome.append(action())
        except Exception as error:  # noqa: BLE001 - given to the thread that waits
            outcome.append(error)

    thread = threading.Thread(target=collect, daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(MEANWHILE_SECONDS)
            if thread.is_alive():
                meanwhile()
    except BaseException:
        for _ in range(INTERRUPTS):  # a job that Spark still plans is not there to be interrupted
            end(tag)
            thread.join(1.0)
            if not thread.is_alive():
                break
        raise
    (result,) = outcome
    if isinstance(result, Exception):
        error = _failed(result)
        raise error from result
    return result


def probe(spark: Any, meanwhile: Callable[[], None]) -> None:
    """Ask executors what they have installed, before they are given rows: with a task for each of their processors."""

    def versions(batches: Iterator[pa.RecordBatch]) -> Any:
        import json  # noqa: PLC0415 - on the executor
        import platform  # noqa: PLC0415 - as above
        import sys  # noqa: PLC0415 - as above
        from importlib import metadata  # noqa: PLC0415 - as above
        from itertools import islice  # noqa: PLC0415 - as above

        import pyarrow as pa  # noqa: PLC0415 - as above

        for _ in islice(batches, 1):
            document: dict[str, object] = {"host": platform.node(), "python": list(sys.version_info[:2])}
            for name in ("numpy", "pyarrow", "pitfalls-tf"):
                try:
                    document[name] = metadata.version(name)
                except metadata.PackageNotFoundError:
                    document[name] = None
            yield pa.RecordBatch.from_pydict({"found": [json.dumps(document)]})

    rows = collected(spark, everywhere(spark).mapInArrow(versions, "found string").distinct().collect, meanwhile)
    for row in rows:
        check_executor(json.loads(row["found"]))


def everywhere(spark: Any) -> Any:
    """Rows in as many partitions as the session's executors have processors: free ones get one each."""
    return spark.range(PROBED)


def check_executor(versions: dict[str, Any]) -> None:
    """Check what an executor has installed.

    Args:
        versions: The host, Python's version, and those of numpy, pyarrow and this package, None where it is not there.
    """
    wrong = []
    if tuple(versions["python"]) < (3, 11):
        wrong.append(f"Python {'.'.join(map(str, versions['python']))}, not 3.11 or later")
    if versions["numpy"] is None or int(versions["numpy"].partition(".")[0]) < 2:
        wrong.append(f"numpy {versions['numpy'] or '(none)'}, not 2 or later")
    if versions["pyarrow"] is None or int(versions["pyarrow"].partition(".")[0]) < OLDEST_PYARROW:
        wrong.append(f"pyarrow {versions['pyarrow'] or '(none)'}, not {OLDEST_PYARROW} or later")
    expected = version("pitfalls-tf")
    if versions["pitfalls-tf"] != expected:
        wrong.append(f"pitfalls-tf {versions['pitfalls-tf'] or '(none)'}, not {expected}")
    if wrong:
        raise BadInput(
            "An executor cannot run tasks.",
            got=f"{versions['host']}: {'; '.join(wrong)}",
            expected=f"Python 3.11, numpy 2, pyarrow {OLDEST_PYARROW}, pitfalls-tf {expected} where Spark runs Python",
            fix="Install them there, or name an interpreter that has them: PYSPARK_PYTHON.",
        )


def _failed(error: Exception) -> PitfallsError:
    """What Spark says of a job that failed."""
    text = str(error)
    told = text.partition(TASK_ERROR)[2]
    if told:
        try:
            return task_error(json.JSONDecoder().raw_decode(told)[0])
        except ValueError:
            pass  # the text is cut: Spark's own words follow
    if "No module named" in text:
        name = text.partition("No module named")[2].strip().split("\n")[0].strip(" '\"")
        return BadInput(
            "An executor lacks a library.",
            got=f"no module {name}",
            expected="pitfalls-tf, numpy and pyarrow where Spark runs Python",
            fix="Install them there, or name an interpreter that has them: PYSPARK_PYTHON.",
        )
    return CannotRun(
        "The Spark job failed.",
        got=first_line(error),
        expected="a job that ends",
        fix="Look into the application's log in Spark's interface; a run again judges what is left.",
    )


def task_error(words: Sequence[str]) -> PitfallsError:
    """The error of a task, which came back as the name of its class and its parts."""
    kind, what, got, expected, fix = words
    error_class = BadInput if kind == "BadInput" else CannotRun
    return error_class(what, got=got, expected=expected, fix=fix)


def first_line(error: Exception) -> str:
    """What an exception of Spark says, without the traces that follow."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]
