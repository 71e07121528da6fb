"""``pitfalls monitor run`` with expected events: dates, a calendar file and a country's holidays."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result

Pitfalls = Callable[..., Result]

ROWS = 100
SALE = ("2024-03-12", "2024-03-13", "2024-03-14")
MAINTENANCE = ("2024-03-19", "2024-03-20", "2024-03-21")
EASTER = ("2024-03-28", "2024-03-29", "2024-03-31", "2024-04-01")
OUTSIDE = ("2024-04-09", "2024-04-10", "2024-04-11")

ICS = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//example//events//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20240101T000000Z
DTSTART;VALUE=DATE:20240319
DTEND;VALUE=DATE:20240322
SUMMARY:Maintenance
END:VEVENT
END:VCALENDAR
"""
EXPECTED = """
[[expected]]
name = "Sale"
dates = [2024-03-12, 2024-03-13, 2024-03-14]

[[expected]]
ics = "events.ics"

[[expected]]
country = "NO"
"""


def lender(first: str, days: int, bad: Collection[str] = ()) -> pa.Table:
    """Rows of a lender whose incomes are lower and whose defaults are more frequent than answered on bad days."""
    rng = np.random.default_rng(days)
    day = np.repeat(np.datetime64(first, "us") + np.arange(days) * np.timedelta64(1, "D"), ROWS)
    wrong = np.isin(day.astype("datetime64[D]").astype(str), list(bad))
    income = rng.lognormal(8.0, 0.4, day.size) * np.where(wrong, 0.8, 1.0)
    answer = 1.0 / (1.0 + np.exp((income - 3000.0) / 400.0))
    label = (rng.random(day.size) < answer) ^ (rng.random(day.size) < np.where(wrong, 0.3, 0.0))
    times = day + np.tile(np.arange(ROWS) * np.timedelta64(14, "m"), days)
    return pa.table(
        {"ts": pa.array(times, pa.timestamp("us", tz="UTC")), "income": income, "p": answer, "y": label.astype(int)}
    )


@pytest.fixture(scope="module")
def adopted(pitfalls: Pitfalls, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with LIVE.parquet, and what `monitor init` has written in `shop`; events.ics lies there too."""
    folder = tmp_path_factory.mktemp("lender")
    pq.write_table(lender("2024-01-15", 40), folder / "REF.parquet")
    pq.write_table(lender("2024-03-01", 42, (*SALE, *MAINTENANCE, *EASTER, *OUTSIDE)), folder / "LIVE.parquet")
    columns = ("--event-time", "ts", "--score", "p", "--label", "y", "--traffic", folder / "LIVE.parquet")
    made = pitfalls("monitor", "init", "--reference", folder / "REF.parquet", *columns, "--out", folder / "shop")
    assert made.exit_code == 0, made.output
    (folder / "shop" / "events.ics").write_text(ICS.replace("\n", "\r\n"), "utf-8")
    return folder


@pytest.fixture
def config(adopted: Path, tmp_path: Path) -> Path:
    """A copy of the config, of windows of a hundred rows, next to the table."""
    shutil.copytree(adopted, tmp_path, dirs_exist_ok=True)
    written = tmp_path / "shop" / "monitor.toml"
    written.write_text(re.sub(r"min_rows = \d+", f"min_rows = {ROWS}", written.read_text("utf-8")), "utf-8")
    return written


def test_bad_days_of_expected_events_page_nobody_and_such_days_outside_do(pitfalls: Pitfalls, config: Path) -> None:
    with config.open("a", encoding="utf-8") as file:
        file.write(EXPECTED)
    result = pitfalls("monitor", "run", "--config", config, "--json")
    assert result.exit_code == 1, result.output
    found = json.loads(result.stdout)
    pages = [one["window"]["start"][:10] for one in found["incidents"] if one["level"] == "page"]
    assert pages
    assert set(pages) <= set(OUTSIDE)
    names = {one["start"][:10]: one["expected"] for one in found["windows"] if one["expected"]}
    assert names == {
        **dict.fromkeys(SALE, "Sale"),
        **dict.fromkeys(MAINTENANCE, "Maintenance"),
        **dict(zip(EASTER, ("Maundy Thursday", "Good Friday", "Easter Sunday", "Easter Monday"), strict=True)),
    }
    sale = next(one for one in found["findings"] if one["feature"] == "Sale")
    assert "shown and not tested, as it has not been seen before" in sale["message"]


@pytest.mark.parametrize(
    ("section", "code", "message"),
    [
        ('country = "XX"', 2, "no calendar of public holidays"),
        ('ics = "none.ics"', 3, "none.ics"),
        ('name = "Sale"\ndates = ["2024-03-12"]', 2, "a date without quotes"),
        ("dates = [2024-03-12]", 2, "needs a name"),
    ],
    ids=["no such country", "no such file", "a date in quotes", "no name"],
)
def test_a_wrong_section_is_one_clear_error(
    pitfalls: Pitfalls, config: Path, section: str, code: int, message: str
) -> None:
    with config.open("a", encoding="utf-8") as file:
        file.write(f"\n[[expected]]\n{section}\n")
    result = pitfalls("monitor", "run", "--config", config)
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr
