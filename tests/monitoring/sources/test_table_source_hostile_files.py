"""Whatever stands in a file, as reference and as traffic: a finding or one clear error, by way of the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result

Pitfalls = Callable[..., Result]
COLUMNS = ("--event-time", "ts", "--score", "p", "--label", "y", "--rows", "50")
DAY_US = 86_400_000_000


def rows(days: int = 12, *, start: int = 1_704_067_200_000_000, seed: int = 0, **columns: Any) -> pa.Table:
    """40 rows a day with the columns ts, x, c, p and y; `columns` are put in their places or beside them."""
    rng, count = np.random.default_rng(seed), days * 40
    x = rng.normal(size=count)
    p = 1 / (1 + np.exp(-x))
    made = {
        "ts": pa.array(start + np.arange(count) * (DAY_US // 40)).cast(pa.timestamp("us", "UTC")),
        "x": pa.array(x),
        "c": pa.array(rng.choice(["a", "b", "c"], count)),
        "p": pa.array(p),
        "y": pa.array((rng.random(count) < p).astype(int)),
    }
    given = {name: make(count) if callable(make) else make for name, make in columns.items()}
    return pa.table(made | given)


def cells(*values: object, kind: pa.DataType | None = None) -> Callable[[int], pa.Array]:
    """A column of these values over and over."""
    return lambda count: pa.array([values[place % len(values)] for place in range(count)], kind)


def no_utf_8(count: int) -> pa.Array:
    """Bytes that a file calls text."""
    raw = cells(b"\xff\xfe", b"a", b"\xed\xa0\x80")(count)
    return pa.Array.from_buffers(pa.string(), count, raw.buffers())


def text(table: pa.Table, mark: str = ",") -> str:
    """The table as CSV."""
    times = [f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in table["ts"].to_pylist()]
    columns = [times, *(table[name].to_pylist() for name in ("x", "c", "p", "y"))]
    lines = [mark.join(map(str, line)) for line in zip(*columns, strict=True)]
    return "\n".join([mark.join(["ts", "x", "c", "p", "y"]), *lines]) + "\n"


@pytest.fixture
def init(pitfalls: Pitfalls, tmp_path: Path) -> Callable[..., Result]:
    """`monitor init` on a table, or on the bytes of a file of that name."""

    def run(reference: pa.Table | bytes, *more: str, name: str = "REF.parquet") -> Result:
        if isinstance(reference, bytes):
            (tmp_path / name).write_bytes(reference)
        else:
            pq.write_table(reference, tmp_path / name)
        return pitfalls("monitor", "init", "--reference", tmp_path / name, *COLUMNS, "--out", tmp_path / "out", *more)

    return run


@pytest.fixture
def run(pitfalls: Pitfalls, init: Callable[..., Result], tmp_path: Path) -> Callable[..., Result]:
    """`monitor run --json` on a table, or on the bytes of a file of that name, after `monitor init` on a sound one."""

    def judged(live: pa.Table | bytes, *, name: str = "LIVE.parquet", reference: pa.Table | None = None) -> Result:
        assert init(rows() if reference is None else reference).exit_code == 0
        if isinstance(live, bytes):
            (tmp_path / name).write_bytes(live)
        else:
            pq.write_table(live, tmp_path / name)
        return pitfalls(
            "monitor", "run", "--config", tmp_path / "out" / "monitor.toml", "--traffic", tmp_path / name, "--json"
        )

    return judged


LIVE_START = 1_706_745_600_000_000


def live(**columns: Any) -> pa.Table:
    """Four days of traffic."""
    return rows(4, start=LIVE_START, seed=1, **columns)


def findings(result: Result) -> set[tuple[str, str, str]]:
    """Kind, feature and message of every finding of the windows."""
    assert result.exit_code in (0, 1), result.output
    document = json.loads(result.stdout)
    return {(f["kind"], f["feature"], f["message"]) for f in document["findings"]}


@pytest.mark.parametrize(
    ("columns", "part"),
    [
        ({"y": cells([0], [1])}, "Got 1 scores, 0 classes, sets in the column y;"),
        ({"p": cells("0.5")}, "480 rows of p (string)"),
        ({"p": cells([])}, "480 rows of p (list<"),
        ({"p": cells(0.5, 7.0, float("nan"))}, "160 rows that count (320 without a usable answer left out)"),
        ({"prediction_id": cells("a", "b")}, "480 rows with 2 ids in the column prediction_id"),
    ],
)
def test_a_reference_that_cannot_be_used_says_of_which_column(
    init: Callable[..., Result], columns: dict[str, Any], part: str
) -> None:
    result = init(rows(**columns))
    assert (result.exit_code, result.stdout) == (2, "")
    assert part in result.stderr


def logits(count: int) -> pa.Array:
    """Numbers of which a third lie between 0 and 1."""
    return pa.array(np.linspace(-1, 2, count))


@pytest.mark.parametrize(
    ("columns", "more", "part"),
    [
        (
            {"p": lambda count: pa.array(np.linspace(0, 100, count))},
            (),
            "Got p from 0 to 100; 475 of 480 rows do not fit",
        ),
        ({"p": logits}, (), "Got p from -1 to 2; 320 of 480 rows do not fit; expected probabilities in 0..1. Divide"),
        ({"p": cells(0.5, 7.0, float("nan"), -3.5)}, (), "Got p from -3.5 to 7; 240 of 360 rows do not fit"),
        ({"p": cells(float("inf"))}, (), "Got p from inf to inf; 480 of 480 rows do not fit"),
        ({"p": cells([-1.0, 2.0], [0.5, 0.9], [0.2, 0.8])}, (), "from -1 to 2; 320 of 480 rows do not fit"),
        ({"a": cells(3.0), "b": cells(-2.0)}, ("--score", "a,b"), "Got a, b from -2 to 3; 480 of 480 rows do not fit"),
    ],
)
def test_a_reference_of_scores_that_are_no_probabilities_says_what_they_are(
    pitfalls: Pitfalls, tmp_path: Path, columns: dict[str, Any], more: tuple[str, ...], part: str
) -> None:
    pq.write_table(rows(**columns), tmp_path / "REF.parquet")
    scores = more or ("--score", "p")
    given = ("--reference", tmp_path / "REF.parquet", "--event-time", "ts", *scores, "--label", "y", "--rows", "50")
    result = pitfalls("monitor", "init", *given, "--out", tmp_path / "out")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Most scores of the reference are no probabilities." in result.stderr
    assert part in result.stderr
    assert "Divide per cent by 100, apply the s" in result.stderr
    assert not (tmp_path / "out" / "monitor.toml").exists()


@pytest.mark.parametrize(
    "columns",
    [
        {"c": no_utf_8},
        {"y": lambda count: pa.array(np.resize(np.array([0, 1], np.float16), count))},
        {"x": cells(1e308, -1e308, 5e-324, 1.0)},
        {"x": cells(2**64 - 1, 0, kind=pa.uint64())},
    ],
    ids=["text that is no UTF-8", "labels of half precision", "the largest numbers", "the largest whole numbers"],
)
def test_odd_cells_are_read_as_reference_and_as_traffic(run: Callable[..., Result], columns: dict[str, Any]) -> None:
    result = run(live(**columns), reference=rows(**columns))
    assert result.exit_code == 0, result.output
    assert "Warning" not in result.stderr
    assert [(w["rows"], w["labels"]) for w in json.loads(result.stdout)["windows"]] == [(50, 50)] * 3


def test_a_reference_of_one_class_is_told(init: Callable[..., Result]) -> None:
    result = init(rows(y=cells(0)))
    assert result.exit_code == 0
    assert "All labels of the reference are 0" in result.stderr


@pytest.mark.parametrize(
    ("name", "content", "code", "part"),
    [
        ("a.csv", b"# made by hand\n" + text(rows()).encode(), 2, "no rows, and 481 lines of another number of fields"),
        ("a.csv", bytes(range(256)) * 20, 2, "There is no such column"),
        ("a.csv", b"", 2, "The reference table is empty"),
        ("a.csv.gz", text(rows()).encode(), 3, "cannot be read"),
        ("a.parquet", text(rows()).encode(), 3, "cannot be read"),
    ],
)
def test_a_file_that_is_no_table_is_one_error(
    init: Callable[..., Result], name: str, content: bytes, code: int, part: str
) -> None:
    result = init(content, name=name)
    assert (result.exit_code, result.stdout) == (code, "")
    assert part in result.stderr
    assert "Traceback" not in result.stderr
    assert not any(letter < " " and letter not in "\n\t" for letter in result.stderr)


@pytest.mark.parametrize(
    ("content", "remark"),
    [
        (text(rows(), ";"), "Fields are separated by semicolons."),
        (text(rows(), ";").replace(".", ","), "Decimals follow a comma"),
        (text(rows(), "\t"), "Fields are separated by tabs."),
    ],
)
def test_another_separator_is_read_with_a_remark(init: Callable[..., Result], content: str, remark: str) -> None:
    result = init(content.encode(), name="a.csv")
    assert result.exit_code == 0
    assert remark in result.stderr


def test_a_folder_that_is_neither_a_log_nor_of_tables_is_one_error(
    init: Callable[..., Result], pitfalls: Pitfalls, tmp_path: Path
) -> None:
    def judge(traffic: Path | str) -> Result:
        return pitfalls("monitor", "run", "--config", tmp_path / "out" / "monitor.toml", "--traffic", traffic, "--json")

    assert init(rows()).exit_code == 0
    empty, below = tmp_path / "empty", tmp_path / "live" / "2024-02-01"
    empty.mkdir()
    below.mkdir(parents=True)
    pq.write_table(live(), below / "a.parquet")
    for folder, got, fix in (
        (empty, "an empty folder", "Check the path."),
        (below.parent, "a folder with 2024-02-01", f"by a pattern: '{below.parent}/**/*.parquet'."),
    ):
        result = judge(folder)
        assert (result.exit_code, result.stdout) == (2, "")
        assert f"{folder} is neither a traffic log nor a folder of tables. Got {got}; expected" in result.stderr
        assert fix in result.stderr
    assert [w["rows"] for w in json.loads(judge(f"{below.parent}/**/*.parquet").stdout)["windows"]] == [50] * 3
    assert judge(f"{below.parent}/**").exit_code == 0


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (
            b"# made by hand\n" + text(live()).encode(),
            "No line of LIVE.csv has as many fields as its header. Got no rows",
        )
    ],
)
def test_traffic_that_is_no_table_is_an_error_and_not_silence(
    run: Callable[..., Result], content: bytes, part: str
) -> None:
    result = run(content, name="LIVE.csv")
    assert (result.exit_code, result.stdout) == (2, "")
    assert part in result.stderr


@pytest.mark.parametrize(
    ("content", "broken"),
    [
        (text(live()).encode("utf-16"), 0),
        (text(live()).replace(",a,", ",\xe9,").encode("latin-1") + b"1,\xe9,3\n", 1),
        (text(live()).replace(",a,", f",{'long' * 400_000},", 1).encode(), 0),
    ],
    ids=["UTF-16", "Latin-1 with a broken line", "a line of a megabyte and more"],
)
def test_text_of_any_encoding_is_read(
    run: Callable[..., Result], capfd: pytest.CaptureFixture[str], content: bytes, broken: int
) -> None:
    result = run(content, name="LIVE.csv")
    assert [w["rows"] for w in json.loads(result.stdout)["windows"]] == [50] * 3
    assert sum(kind == "broken lines" for kind, _, _ in findings(result)) == broken
    assert "Traceback" not in capfd.readouterr().err


def quoted(table: pa.Table, *places: int) -> bytes:
    """The table as CSV, with a quote before each of these lines."""
    lines = text(table).split("\n")
    return "\n".join('"' + line if place in places else line for place, line in enumerate(lines, 1)).encode()


@pytest.mark.parametrize(
    ("content", "told", "rows_left", "code"),
    [
        (quoted(live(), 102), "60 lines of LIVE.csv are lost in one record, from line 102 on", 100, 1),
        (quoted(live(), 102, 112), "11 lines of LIVE.csv are lost in one record, from line 102 on", 100, 1),
        (
            quoted(live(), 12, 22, 112),
            "61 lines of LIVE.csv are lost in 2 records, one of 50 lines, from line 112 on",
            50,
            1,
        ),
        (quoted(rows(40, start=LIVE_START), 102, 106), "5 lines of LIVE.csv are lost", 1550, 0),
        (
            text(live()).encode("latin-1").replace(b",a,", b",\xe9,") + b'"' + text(live()).encode(),
            "161 lines of LIVE.csv are lost in one record, from line 162 on",
            150,
            1,
        ),
    ],
    ids=["to the end", "to the next quote", "twice", "a few lines of many", "in Latin-1"],
)
def test_lines_that_a_quote_swallowed_are_told_and_page_where_they_are_many(
    run: Callable[..., Result], content: bytes, told: str, rows_left: int, code: int
) -> None:
    result = run(content, name="LIVE.csv")
    assert result.exit_code == code, result.output
    messages = [message for kind, _, message in findings(result) if kind == "unbalanced quote"]
    assert [message.startswith(told) for message in messages] == [True]
    assert messages[0].endswith('a quote (") there is unbalanced.')
    assert sum(window["rows"] for window in json.loads(result.stdout)["windows"]) == rows_left


def test_lines_that_a_quote_swallowed_are_told_by_init_and_where_no_window_is_due(
    init: Callable[..., Result], pitfalls: Pitfalls, tmp_path: Path
) -> None:
    result = init(quoted(rows(), 302), name="REF.csv")
    assert result.exit_code == 0, result.output
    assert result.stderr.count("180 lines of REF.csv are lost in one record, from line 302 on") == 1
    (tmp_path / "LIVE.csv").write_bytes(quoted(live(), 32))
    config = tmp_path / "out" / "monitor.toml"
    result = pitfalls("monitor", "run", "--config", config, "--traffic", tmp_path / "LIVE.csv", "--json")
    assert (result.exit_code, json.loads(result.stdout)["windows"]) == (0, [])
    assert "130 lines of LIVE.csv are lost in one record, from line 32 on" in result.stderr


def test_a_quote_that_swallows_every_line_is_the_error(run: Callable[..., Result]) -> None:
    result = run(quoted(live(), 2), name="LIVE.csv")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "160 lines of another number of fields than the first, which has 5" in result.stderr
    assert 'Balance the quotes (").' in result.stderr


def test_text_of_several_lines_loses_nothing(run: Callable[..., Result]) -> None:
    letter = '"Dear all,\nplease, see, this, list:\nit is\ngood.\n"'
    result = run(text(live()).replace(",a,", f",{letter},").encode(), name="LIVE.csv")
    assert [w["rows"] for w in json.loads(result.stdout)["windows"]] == [50] * 3
    assert not {"unbalanced quote", "broken lines"} & {kind for kind, _, _ in findings(result)}


@pytest.mark.parametrize("beside", [True, False], ids=["labels beside their rows", "labels through the log"])
@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (
            cells("no", "yes"),
            (
                "unknown labels",
                "labels",
                "50 labels are none of the classes 0, 1, so the model was wrong there; one is 'no'.",
            ),
        ),
        (
            cells([0]),
            (
                "type changed",
                "y",
                "The column y is of type list<element: int64>, which names no class: no label of it counts.",
            ),
        ),
    ],
)
def test_labels_of_another_kind_than_the_classes_are_told(
    run: Callable[..., Result], labels: Callable[[int], pa.Array], found: tuple[str, str, str], *, beside: bool
) -> None:
    more = {} if beside else {"prediction_id": lambda count: pa.array([f"id{place}" for place in range(count)])}
    assert found in findings(run(live(y=labels, **more)))


def test_booleans_are_the_labels_0_and_1(run: Callable[..., Result]) -> None:
    result = run(live(y=cells(True, False)))
    assert [w["labels"] for w in json.loads(result.stdout)["windows"]] == [50] * 3


@pytest.mark.parametrize(
    ("times", "part"),
    [
        (cells(1), "the column ts of LIVE.parquet holds no times (type changed to int64)"),
        (cells("yesterday"), "the column ts of LIVE.parquet holds no times (no times, but text)"),
        (cells(None, kind=pa.timestamp("us", "UTC")), "160 rows of LIVE.parquet have no event time"),
    ],
)
def test_a_live_table_without_times_is_an_error_and_not_silence(
    run: Callable[..., Result], times: Callable[[int], pa.Array], part: str
) -> None:
    result = run(live(ts=times))
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"No row of the table has an event time. Got {part}" in result.stderr


def test_rows_that_wait_for_their_time_are_told_where_no_window_can_tell(run: Callable[..., Result]) -> None:
    result = run(rows(4, start=4_000_000_000_000_000))
    assert (result.exit_code, json.loads(result.stdout)["windows"]) == (0, [])
    assert "160 rows of LIVE.parquet lie more than a day ahead of the clock, and wait for their time." in result.stderr
