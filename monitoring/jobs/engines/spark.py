"""Tasks on Spark 4, by its DataFrame API alone: classic sessions and Spark Connect."""

from __future__ import annotations

import importlib
import json
import os
import pickle
import re
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from monitoring.errors import BadInput, CannotRun, PitfallsError
from monitoring.jobs.engines.codec import decoded
from monitoring.jobs.engines.engine import Work
from monitoring.jobs.engines.partial import Partial
from monitoring.jobs.engines.recipe import Recipe
from monitoring.jobs.engines.shared_rows import shared_rows
from monitoring.timestamps import as_microseconds
from monitoring.traffic.id_keys import id_keys
from monitoring.traffic.windows import Window

#: Tasks of one job: their partials come to this process at once, some 100 kB each.
TASKS = 256

#: Windows of one job over a frame.
WINDOWS = 128

#: The oldest Java that Spark 4 runs on.
OLDEST_JAVA = 17

#: Where files of a driver of Databricks outlive it.
KEPT_BY_DATABRICKS = ("/Volumes", "/Workspace", "/dbfs", "/mnt")

#: Seconds between two calls of what is done while a job is waited for.
MEANWHILE_SECONDS = 10.0

#: The oldest pyarrow that executors may have: an older one does not read what is sent.
OLDEST_PYARROW = 19

_SENT_BACK = "number long, start long, data binary, error string"


def session(master: str | None) -> Any:
    """The Spark session of this process, or a new one.

    Args:
        master: ``sc://HOST:PORT`` of Spark Connect, ``spark://HOST:PORT``, or another master; None for the active
            session, or what Spark's own configuration names.

    Raises:
        BadInput: pyspark is not installed, or too old.
        CannotRun: There is no cluster at that address.
    """
    try:
        pyspark = importlib.import_module("pyspark")
        sql = importlib.import_module("pyspark.sql")
    except ImportError as error:
        raise BadInput(
            "Spark is driven by the library pyspark, which is not installed.",
            got=str(error),
            expected="pyspark 4",
            fix="pip install 'pitfalls-tf[spark]'",
        ) from error
    if int(pyspark.__version__.partition(".")[0]) < 4:
        raise BadInput(
            "This pyspark is too old.",
            got=pyspark.__version__,
            expected="4 or later, and a cluster of the same",
            fix="pip install 'pyspark>=4,<5'",
        )
    if not (master or "").startswith("sc://") and sql.SparkSession.getActiveSession() is None:
        check_java()
    builder = sql.SparkSession.builder.appName("pitfalls monitor")
    if master is not None:
        builder = builder.remote(master) if master.startswith("sc://") else builder.master(master)
    try:
        return builder.getOrCreate()
    except Exception as error:  # pyspark raises what its gateway, its channel or Java says
        raise CannotRun(
            "There is no Spark session.",
            got=f"{master or 'no master'}: {_first_line(error)}",
            expected="a running cluster, or Java 17 or later on this machine",
            fix="Check `master` in the [engine] section, and `java -version`.",
        ) from error


def check_java() -> None:
    """Check the Java that a session of this process would start, if there is one.

    Raises:
        CannotRun: It is older than Spark 4 takes.
    """
    home = os.environ.get("JAVA_HOME")
    program = str(Path(home, "bin", "java")) if home else "java"
    try:
        text = subprocess.run([program, "-version"], capture_output=True, text=True, check=False, timeout=60).stderr
    except (OSError, subprocess.TimeoutExpired):
        return  # pyspark says what it looks for
    numbers = re.search(r'version "(?:1\.)?(\d+)', text)
    if numbers is not None and int(numbers[1]) < OLDEST_JAVA:
        raise CannotRun(
            "This Java is too old for Spark 4.",
            got=f"{program}: {text.splitlines()[0]}",
            expected=f"Java {OLDEST_JAVA} or later",
            fix=f"Install it, as by apt-get install openjdk-{OLDEST_JAVA}-jre-headless, and name it in JAVA_HOME; or "
            "name a cluster of Spark Connect, `master` in the [engine] section, which needs none here.",
        )


def check_label_log(folder: Path) -> None:
    """Check that the label log of a run on a driver of Databricks is where it outlives the cluster.

    Raises:
        BadInput: It is on the driver's own disk.
    """
    is_kept = any(folder.is_relative_to(place) for place in KEPT_BY_DATABRICKS)
    if "DATABRICKS_RUNTIME_VERSION" in os.environ and not is_kept:
        raise BadInput(
            "The label log is on a disk that goes with the cluster.",
            got=str(folder),
            expected=f"a folder below {', '.join(KEPT_BY_DATABRICKS)}: it says which labels were counted",
            fix="Name one, `label_log` in the [traffic] section; and a store that stays, `url` in [store].",
        )


class SparkEngine:
    """Has Spark run the tasks: it schedules pieces of files, which the tasks read themselves. An `Engine`.

    The files have to be where executors can read them, under the same paths.
    """

    def __init__(self, spark: Any, *, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Starts nothing yet.

        Args:
            meanwhile: Called now and then while a job is waited for.
        """
        self._spark, self._meanwhile = spark, meanwhile
        self._probed = False

    def gather(self, recipe: Recipe, work: Iterable[Work]) -> Iterator[Partial]:
        """See `Engine`.

        Yields:
            Partials in the order of the tasks.
        """
        tasks = iter(work)
        while some := tuple(islice(tasks, TASKS)):
            if not self._probed:
                probe(self._spark, len(some), self._meanwhile)
                self._probed = True
            packed, pickles = recipe.packed, tuple(map(pickle.dumps, some))

            def run(batches: Iterator[pa.RecordBatch], packed: bytes = packed, pickles: Any = pickles) -> Any:
                from monitoring.jobs.engines.spark_tasks import run_works  # noqa: PLC0415 - on the executor

                return run_works(batches, packed, pickles)

            frame = self._spark.range(0, len(some), 1, len(some)).mapInArrow(run, _SENT_BACK)
            yield from received(collected(self._spark, frame, self._meanwhile), recipe)


class SparkRowsEngine:
    """Has Spark read the rows of a frame, and sums them up in its partitions. An `Engine`."""

    def __init__(
        self,
        spark: Any,
        frame: Any,
        relation: SparkRelation,
        shared: Sequence[str],
        *,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        """Starts nothing yet.

        Args:
            meanwhile: Called now and then while a job is waited for.
        """
        self._spark, self._frame, self._relation, self._shared = spark, frame, relation, shared
        self._meanwhile = meanwhile

    def gather(self, recipe: Recipe, work: Iterable[Work]) -> Iterator[Partial]:
        """See `Engine`: tasks are Spark's own partitions; of the work only the windows count.

        Yields:
            Partials in the order of windows.
        """
        windows: dict[int, Window] = {}
        inside = None
        for task in work:
            inside = task.inside
            windows |= {as_microseconds(part.window.start): part.window for part in task.parts}
        spans = [(start, as_microseconds(windows[start].end)) for start in sorted(windows)]
        if inside is None:
            return
        left_out = np.unique(id_keys(pa.array(list(self._shared), pa.string())))
        probe(self._spark, 1, self._meanwhile)
        names = [name for name in self._relation.schema.names if name in recipe.columns.read]
        with shared_rows(self._relation, self._shared, recipe.columns, inside) as table:
            for first in range(0, len(spans), WINDOWS):
                some = spans[first : first + WINDOWS]
                packed = recipe.packed

                def run(batches: Iterator[pa.RecordBatch], packed: bytes = packed, spans: Any = tuple(some)) -> Any:
                    from monitoring.jobs.engines.spark_tasks import run_frame  # noqa: PLC0415 - on the executor

                    return run_frame(batches, packed, spans, left_out)

                rows = self._between(some[0][0], some[-1][1]).select(*map(_quoted, names))
                partials = received(collected(self._spark, rows.mapInArrow(run, _SENT_BACK), self._meanwhile), recipe)
                by_window: dict[int, list[Partial]] = {}
                for partial in partials:
                    by_window.setdefault(partial.start, []).append(partial)
                if table is not None:
                    for partial in _of_shared(table, recipe, some, windows):
                        by_window.setdefault(partial.start, []).append(partial)
                for start in sorted(by_window):
                    yield from by_window[start]

    def _between(self, start: int, end: int) -> Any:
        """The rows of some time, and perhaps of a day around it: tasks look at each row's time themselves."""
        functions = importlib.import_module("pyspark.sql.functions")
        when = self._frame[self._relation.event_time].cast("timestamp")
        day = 86_400_000_000
        return self._frame.where(
            (when >= functions.timestamp_micros(functions.lit(start - day)))
            & (when < functions.timestamp_micros(functions.lit(end + day)))
        )


def _of_shared(table: Any, recipe: Recipe, spans: Sequence[tuple[int, int]], windows: Any) -> Iterator[Partial]:
    from monitoring.jobs.engines.engine import work_of  # noqa: PLC0415 - as below
    from monitoring.jobs.engines.task import gathered  # noqa: PLC0415 - not needed where no ids are shared

    for work in work_of(table, [windows[start] for start, _ in spans], rows=1 << 62):
        yield from gathered(recipe, work)


def collected(spark: Any, frame: Any, meanwhile: Callable[[], None]) -> list[Any]:
    """The rows of a frame of results, while something is done now and then. What ends this ends the job.

    Args:
        meanwhile: Called every `MEANWHILE_SECONDS`.

    Raises:
        CannotRun: The job failed.
    """
    tag = f"pitfalls-{uuid.uuid4().hex}"
    outcome: list[Any] = []

    def collect() -> None:
        try:
            spark.addTag(tag)
            outcome.append(frame.collect())
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
        spark.interruptTag(tag)
        raise
    (result,) = outcome
    if isinstance(result, Exception):
        error = _failed(result)
        raise error from result
    rows: list[Any] = result
    return rows


def received(rows: Iterable[Any], recipe: Recipe) -> Iterator[Partial]:
    """The partials that tasks sent back, in the order of tasks and windows.

    Args:
        rows: Rows of number, start, data and error.

    Raises:
        PitfallsError: What a task could not do.
    """
    for row in sorted(rows, key=lambda item: (item["number"], item["start"])):
        if row["error"]:
            error = _task_error(row["error"])
            raise error
        yield decoded(bytes(row["data"]), recipe)


def probe(spark: Any, tasks: int, meanwhile: Callable[[], None]) -> None:
    """Ask executors what they have installed, before they are given rows.

    Args:
        tasks: How many tasks to ask, at most 16.

    Raises:
        BadInput: An executor lacks a library, or has one that is too old, or another version of this package.
    """

    def versions(batches: Iterator[pa.RecordBatch]) -> Any:
        import json  # noqa: PLC0415 - on the executor
        import platform  # noqa: PLC0415 - as above
        import sys  # noqa: PLC0415 - as above
        from importlib import metadata  # noqa: PLC0415 - as above

        import pyarrow as pa  # noqa: PLC0415 - as above

        for _ in batches:
            document: dict[str, object] = {"host": platform.node(), "python": list(sys.version_info[:2])}
            for name in ("numpy", "pyarrow", "pitfalls-tf"):
                try:
                    document[name] = metadata.version(name)
                except metadata.PackageNotFoundError:
                    document[name] = None
            yield pa.RecordBatch.from_pydict({"found": [json.dumps(document)]})

    count = max(1, min(tasks, 16))
    rows = collected(spark, spark.range(0, count, 1, count).mapInArrow(versions, "found string"), meanwhile)
    for row in rows:
        check_executor(json.loads(row["found"]))


def check_executor(versions: dict[str, Any]) -> None:
    """Check what an executor has installed.

    Args:
        versions: The host, Python's version, and those of numpy, pyarrow and this package, None where it is not there.

    Raises:
        BadInput: It cannot run tasks.
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
        got=_first_line(error),
        expected="a job that ends",
        fix="Look into the application's log in Spark's interface; a run again judges what is left.",
    )


def _task_error(text: str) -> PitfallsError:
    """The error of a task, which came back as data."""
    kind, what, got, expected, fix = json.loads(text)
    error_class = BadInput if kind == "BadInput" else CannotRun
    return error_class(what, got=got, expected=expected, fix=fix)


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


class SparkRelation:
    """Rows of a frame of Spark. A `monitoring.jobs.engines.relation.Relation`."""

    def __init__(self, frame: Any, event_time: str, prediction_id: str) -> None:
        """Reads nothing yet."""
        self.frame, self.event_time, self._prediction_id = frame, event_time, prediction_id
        self._schema: pa.Schema | None = None

    @property
    def schema(self) -> pa.Schema:
        """See `Relation`."""
        if self._schema is None:
            self._schema = self.frame.limit(0).toArrow().schema
        return self._schema

    def batches(
        self,
        names: Sequence[str],
        *,
        between: tuple[int, int] | None = None,
        ids: Sequence[str] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """See `Relation`. What is asked for comes to this process at once."""
        functions = importlib.import_module("pyspark.sql.functions")
        rows = self.frame
        if between is not None:
            when = rows[self.event_time].cast("timestamp")
            low, high = (functions.timestamp_micros(functions.lit(end)) for end in between)
            rows = rows.where((when >= low) & (when < high))
        if ids is not None:
            rows = rows.where(rows[self._prediction_id].cast("string").isin(list(ids)))
        yield from rows.select(*map(_quoted, names)).toArrow().to_batches()


def is_spark_frame(value: object) -> bool:
    """Whether a value is a frame of Spark, classic or Connect; pyspark is not imported to know it."""
    kind = type(value)
    return kind.__name__ == "DataFrame" and kind.__module__.partition(".")[0] == "pyspark"
