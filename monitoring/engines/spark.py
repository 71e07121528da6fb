"""Tasks on Spark 4, by its DataFrame API alone: classic sessions and Spark Connect."""

from __future__ import annotations

import importlib
import json
import os
import pickle
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from itertools import islice
from operator import add
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
from typing_extensions import override

from monitoring.engines.codec import decoded
from monitoring.engines.engine import Work
from monitoring.engines.partial import Partial
from monitoring.engines.recipe import Recipe
from monitoring.engines.relation import Relation, shared_rows
from monitoring.engines.spark_ids import SparkIds
from monitoring.engines.spark_jobs import collected, first_line, probe, task_error
from monitoring.errors import BadInput, CannotRun
from monitoring.timestamps import as_datetime, as_microseconds
from monitoring.traffic.id_keys import id_keys
from monitoring.traffic.tables.repeats import IdsHere
from monitoring.traffic.windows import Window

#: Tasks of one job: their partials come to this process at once, some 100 kB each.
TASKS = 256

#: Windows of one job over a frame.
WINDOWS = 128

#: The partials of two to this power partitions of a frame are added up at once, where they are.
MERGED_BITS = 6

#: Ids of labels in tables of their own, at most: 8 bytes each go to every executor.
MOST_LABELS_APART = 10_000_000

#: The port of Spark Connect where an address names none.
CONNECT_PORT = 15_002

#: The oldest Java that Spark 4 runs on.
OLDEST_JAVA = 17

#: Where files of a driver of Databricks outlive it.
KEPT_BY_DATABRICKS = ("/Volumes", "/Workspace", "/dbfs", "/mnt")

_SENT_BACK = "number long, start long, data binary, error string"


def session(master: str | None) -> Any:
    """The Spark session of this process, or a new one.

    Args:
        master: ``sc://HOST:PORT`` of Spark Connect, ``spark://HOST:PORT``, or another master; None for the active
            session, or what Spark's own configuration names.
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
    active = sql.SparkSession.getActiveSession()
    if master is None and active is not None:
        return active
    if (master or "").startswith("sc://"):
        check_server(str(master))
    elif active is None:
        check_java()
    builder = sql.SparkSession.builder.appName("pitfalls monitor")
    if master is not None:
        builder = builder.remote(master) if master.startswith("sc://") else builder.master(master)
    if (master or "").startswith("local"):  # executors are of this installation, whatever `python3` is on the path
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        return builder.getOrCreate()
    except Exception as error:  # pyspark raises what its gateway, its channel or Java says
        raise CannotRun(
            "There is no Spark session.",
            got=f"{master or 'no master'}: {first_line(error)}",
            expected="a running cluster, or Java 17 or later on this machine",
            fix="Check `master` in the [engine] section, and `java -version`.",
        ) from error


def check_server(address: str) -> None:
    """Check that something listens where Spark Connect is said to: its client would try for ten minutes.

    Where the environment names a proxy, which decides what is reached, nothing is checked.
    """
    if any(os.environ.get(name) for name in ("grpc_proxy", "https_proxy", "http_proxy")):
        return
    place = urlsplit(address)
    try:
        host, port = place.hostname or "", place.port or CONNECT_PORT
        socket.create_connection((host, port), timeout=10.0).close()
    except (OSError, ValueError) as error:
        raise CannotRun(
            "Nothing answers as a server of Spark Connect.",
            got=f"sc://{place.netloc.rpartition('@')[2]}: {error}",
            expected="a server that was started there, as by sbin/start-connect-server.sh",
            fix="Check `master` in the [engine] section.",
        ) from error


def check_java() -> None:
    """Check the Java that a session of this process would start, if there is one."""
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
    """Check that the label log of a run on a driver of Databricks is where it outlives the cluster."""
    is_kept = any(folder.is_relative_to(place) for place in KEPT_BY_DATABRICKS)
    if "DATABRICKS_RUNTIME_VERSION" in os.environ and not is_kept:
        raise BadInput(
            "The label log is on a disk that goes with the cluster.",
            got=str(folder),
            expected=f"a folder below {', '.join(KEPT_BY_DATABRICKS)}: it says which labels were counted",
            fix="Name one, `label_log` in the [traffic] section; and a store that stays, `url` in [store].",
        )


def check_labels_apart(recipe: Recipe) -> None:
    """Check that the ids of labels apart can be sent to every executor."""
    if recipe.labelled_apart is not None and recipe.labelled_apart.size > MOST_LABELS_APART:
        raise BadInput(
            "Labels in tables of their own are too many to be sent to every executor of Spark.",
            got=f"{recipe.labelled_apart.size:,} ids",
            expected=f"at most {MOST_LABELS_APART:,}, of 8 bytes each",
            fix="Give the rows a column of labels, or keep those of the last label horizon alone in the tables.",
        )


class SparkEngine:
    """Has Spark run the tasks: it schedules pieces of files, which the tasks read themselves. An `Engine`.

    The files have to be where executors can read them, under the same paths.
    """

    def __init__(self, spark: Any, *, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Starts nothing yet."""
        self._spark, self._meanwhile = spark, meanwhile
        self._probed = False

    def ids(self, here: IdsHere) -> SparkIds:
        """What goes through the ids of a table, in place of this process."""
        return SparkIds(self._spark, here, self._meanwhile)

    def gather(self, recipe: Recipe, work: Iterable[Work]) -> Iterator[Partial]:
        """See `Engine`. Yields partials in the order of the tasks."""
        check_labels_apart(recipe)
        tasks = iter(work)
        while some := tuple(islice(tasks, TASKS)):
            if not self._probed:
                probe(self._spark, self._meanwhile)
                self._probed = True
            packed, pickles = recipe.packed, tuple(map(pickle.dumps, some))

            def run(batches: Iterator[pa.RecordBatch], packed: bytes = packed, pickles: Any = pickles) -> Any:
                from monitoring.engines.spark_tasks import run_works  # noqa: PLC0415 - on the executor

                return run_works(batches, packed, pickles)

            frame = self._spark.range(0, len(some), 1, len(some)).mapInArrow(run, _SENT_BACK)
            yield from received(collected(self._spark, frame.toArrow, self._meanwhile), recipe)


class SparkRowsEngine:
    """Has Spark read the rows of a frame, and sums them up in its partitions. An `Engine`."""

    def __init__(
        self,
        spark: Any,
        relation: SparkRelation,
        shared: Sequence[str],
        *,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        """Starts nothing yet."""
        self._spark, self._relation, self._shared = spark, relation, shared
        self._meanwhile = meanwhile

    def _collected(self, action: Callable[[], Any]) -> Any:
        return collected(self._spark, action, self._meanwhile)

    def gather(self, recipe: Recipe, work: Iterable[Work]) -> Iterator[Partial]:
        """See `Engine`: tasks are Spark's own partitions; of the work only the windows count."""
        windows: dict[int, Window] = {}
        inside = None
        for task in work:
            inside = task.inside
            windows |= {as_microseconds(part.window.start): part.window for part in task.parts}
        spans = [(start, as_microseconds(windows[start].end)) for start in sorted(windows)]
        if inside is None:
            return
        check_labels_apart(recipe)
        left_out = np.unique(id_keys(pa.array(list(self._shared), pa.string())))
        probe(self._spark, self._meanwhile)
        names = [name for name in self._relation.schema.names if name in recipe.columns.read]
        with shared_rows(self._relation, self._shared, recipe.columns, inside) as table:
            for first in range(0, len(spans), WINDOWS):
                some = spans[first : first + WINDOWS]
                packed = recipe.packed

                def run(batches: Iterator[pa.RecordBatch], packed: bytes = packed, spans: Any = tuple(some)) -> Any:
                    from monitoring.engines.spark_tasks import run_frame  # noqa: PLC0415 - on the executor

                    return run_frame(batches, packed, spans, left_out)

                rows = self._relation.between(some[0][0], some[-1][1]).select(*map(_quoted, names))
                sent = _merged(rows.mapInArrow(run, _SENT_BACK), packed)
                self._relation.note_cells(some, names, self._collected)
                partials = received(self._collected(sent.toArrow), recipe)
                self._relation.note_cells(some, names, self._collected)
                by_window: dict[int, list[Partial]] = {}
                for partial in partials:
                    by_window.setdefault(partial.start, []).append(partial)
                if table is not None:
                    for partial in _of_shared(table, recipe, some, windows):
                        by_window.setdefault(partial.start, []).append(partial)
                for start in sorted(by_window):
                    yield from by_window[start]


def _merged(sent: Any, packed: bytes) -> Any:
    """What partitions send, added up on executors: of 64 partitions first, and then of 64 times as many."""
    functions = importlib.import_module("pyspark.sql.functions")

    def merge(rows: pa.Table) -> pa.Table:
        from monitoring.engines.spark_tasks import merged_rows  # noqa: PLC0415 - on the executor

        return merged_rows(rows, packed)

    for level in (1, 2):
        group = functions.shiftright("number", level * MERGED_BITS)
        sent = sent.groupBy("start", group).applyInArrow(merge, _SENT_BACK)
    return sent


def _of_shared(table: Any, recipe: Recipe, spans: Sequence[tuple[int, int]], windows: Any) -> Iterator[Partial]:
    from monitoring.engines.engine import work_of  # noqa: PLC0415 - as below
    from monitoring.engines.task import gathered  # noqa: PLC0415 - not needed where no ids are shared

    for work in work_of(table, [windows[start] for start, _ in spans], rows=1 << 62):
        yield from gathered(recipe, work)


def received(sent: pa.Table, recipe: Recipe) -> Iterator[Partial]:
    """The partials that tasks sent back, in the order of tasks and windows.

    Args:
        sent: The columns number, start, data and error.

    Raises:
        PitfallsError: What a task could not do.
    """
    numbers, starts, errors = (sent[name].to_pylist() for name in ("number", "start", "error"))
    for row in sorted(range(sent.num_rows), key=lambda place: (numbers[place], starts[place])):
        if errors[row]:
            error = task_error(json.loads(errors[row]))
            raise error
        yield decoded(sent["data"][row].as_buffer(), recipe)


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


class SparkRelation(Relation):
    """Rows of a frame of Spark. A `monitoring.engines.relation.Relation`."""

    def __init__(self, frame: Any, event_time: str, prediction_id: str) -> None:
        """Reads nothing yet."""
        self.frame, self.event_time, self._prediction_id = frame, event_time, prediction_id
        self._schema: pa.Schema | None = None
        self._cells: dict[tuple[int, int], tuple[int, int]] = {}

    @property
    @override
    def schema(self) -> pa.Schema:
        if self._schema is None:
            self._schema = self.frame.limit(0).toArrow().schema
        return self._schema

    def between(self, start: int, end: int) -> Any:
        """The rows of some time in microseconds. A time without a zone is in UTC, whatever the session's zone is."""
        when = self.frame[_quoted(self.event_time)]
        return self.frame.where((when >= self._at(start)) & (when < self._at(end)))

    def _at(self, us: int) -> Any:
        """A time in microseconds as the frame's event times are."""
        functions = importlib.import_module("pyspark.sql.functions")
        if self.schema.field(self.event_time).type.tz is None:
            return functions.lit(as_datetime(us).replace(tzinfo=None).isoformat(sep=" ")).cast("timestamp_ntz")
        return functions.timestamp_micros(functions.lit(us))

    def note_cells(
        self, spans: Sequence[tuple[int, int]], names: Sequence[str], collect: Callable[[Callable[[], Any]], Any]
    ) -> None:
        """Keep a sum of the hashes of the rows of some windows; of those that have one, check that it is the same.

        Cost: Spark reads the columns once more, in a job of its own without Python.

        Args:
            spans: Start and end of each window in microseconds, in order, none of which overlaps another.
            names: The columns that are read.
            collect: Runs a job and gives its result.

        Raises:
            CannotRun: A cell has changed since.
        """
        functions = importlib.import_module("pyspark.sql.functions")
        rows = self.between(spans[0][0], spans[-1][1])
        when = rows[_quoted(self.event_time)]
        place = reduce(add, ((when >= self._at(start)).cast("int") for start, _ in spans))
        cells = [rows[_quoted(name)] for name in names if not pa.types.is_map(self.schema.field(name).type)]
        hashed = rows.select(place.alias("w"), functions.xxhash64(*cells).alias("h"))
        halves = (hashed["h"].bitwiseAND(functions.lit((1 << 32) - 1)), functions.shiftrightunsigned("h", 32))
        sums = hashed.groupBy("w").agg(*(functions.sum(half).alias(f"h{at}") for at, half in enumerate(halves)))
        columns = collect(sums.toArrow).to_pydict()
        found = dict(zip(columns["w"], zip(columns["h0"], columns["h1"], strict=True), strict=True))
        for number, span in enumerate(spans, 1):
            cells_now = found.get(number, (0, 0))
            if self._cells.setdefault(span, cells_now) != cells_now:
                raise CannotRun(
                    "The rows have changed while they were read.",
                    got=f"other cells in the window from {as_datetime(span[0]):%Y-%m-%d %H:%M} UTC on than before",
                    expected="the same rows in every pass of a run",
                    fix="Run again, on a snapshot of the table that keeps its rows, such as "
                    'spark.read.option("versionAsOf", 12).',
                )

    def batches(
        self, names: Sequence[str], *, between: tuple[int, int] | None = None, ids: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """See `Relation`. What is asked for comes to this process at once."""
        rows = self.frame if between is None else self.between(*between)
        if ids is not None:
            rows = rows.where(rows[_quoted(self._prediction_id)].cast("string").isin(list(ids)))
        found = rows.select(*map(_quoted, names)).toArrow()
        if between in self._cells and ids is None:
            self.note_cells([between], names, lambda action: action())
        yield from found.to_batches()


def is_spark_frame(value: object) -> bool:
    """Whether a value is a frame of Spark, classic or Connect; pyspark is not imported to know it."""
    kind = type(value)
    return kind.__name__ == "DataFrame" and kind.__module__.partition(".")[0] == "pyspark"
