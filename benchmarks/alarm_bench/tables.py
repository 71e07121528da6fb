"""Results as they are kept, and their tables in Markdown."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import numpy as np

from .streams import Reference, Rows, Stream, Window
from .trials import BUDGET, HORIZON, Outcome, Score, score, worth

HERE = Path(__file__).parent

#: What stands between these comments is written by `python -m alarm_bench --page`.
BEGIN, END = "<!-- tables of alarm_bench -->", "<!-- end of alarm_bench -->"

#: Libraries whose versions a result names, if the adapter's environment has them.
LIBRARIES = ("alibi-detect", "evidently", "frouros", "nannyml", "numpy", "pandas", "river", "scipy")


#: A monitor that says nothing.
NOTHING = Outcome(alarms=(), level=0.0)

COLUMNS = (
    "monitor",
    "score",
    "false pages a year, real",
    "simulated",
    "harms paged, real",
    "simulated",
    "median windows to the page, simulated",
    "measured",
    "with",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What a monitor said on streams, by their names."""

    title: str
    outcomes: Mapping[str, Outcome]
    date: str = ""
    libraries: Mapping[str, str] = field(default_factory=dict)

    def json(self, streams: Sequence[Stream]) -> str:
        """As JSON, a line for each stream, with what it was measured on."""
        streams_lines = ",\n".join(
            f"  {json.dumps(each.name)}: {json.dumps(_kept(each, self.outcomes[each.name]))}"
            for each in streams
            if each.name in self.outcomes
        )
        about = {"title": self.title, "date": f"{datetime.now(UTC):%Y-%m-%d}", "libraries": installed_libraries()}
        lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(value)}" for name, value in about.items())
        return f'{{\n{lines},\n "streams": {{\n{streams_lines}\n }}\n}}\n'


def _kept(stream: Stream, said: Outcome) -> dict[str, object]:
    return {"digest": digest(stream), "level": as_kept(said.level), "alarms": list(said.alarms)}


def as_kept(level: float) -> float:
    """A level with the digits that results have.

    >>> as_kept(2.0 / 3.0)
    0.666667
    """
    return float(f"{level:.6g}")


def installed_libraries() -> dict[str, str]:
    """The versions of libraries on which alarms may depend."""
    installed = {each.metadata["Name"]: each.version for each in distributions()}
    return {name: installed[name] for name in LIBRARIES if name in installed}


@cache
def _digest_of(reference: Reference, windows: tuple[Window, ...], harms: str) -> str:
    found = hashlib.sha256(harms.encode())
    for part in (reference.windows, windows):
        rows = Rows.joined([each.labelled for each in part])
        for values in (rows.id, rows.label_minute, rows.label, np.rint(rows.scores * 1e3)):
            found.update(np.asarray(values, dtype=np.int64).tobytes())
    return found.hexdigest()[:16]


def digest(stream: Stream) -> str:
    """A digest of what the stream's rows and harms are, so that results of other rows are not mixed with these."""
    return _digest_of(stream.reference, stream.windows, f"{stream.harms} {stream.early} {BUDGET}")


def kept_results(path: Path, streams: Sequence[Stream]) -> Results:
    """The results of a file, those alone that are of these streams' rows."""
    empty = {"title": "", "streams": {}, "date": "", "libraries": {}}
    document: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else empty
    kept = document["streams"]
    same = [each.name for each in streams if each.name in kept and kept[each.name]["digest"] == digest(each)]
    outcomes = {name: Outcome(alarms=tuple(kept[name]["alarms"]), level=kept[name]["level"]) for name in same}
    title, date, libraries = (document[name] for name in ("title", "date", "libraries"))
    return Results(title=title, outcomes=outcomes, date=date, libraries=libraries)


def markdown(results: Sequence[Results], streams: Sequence[Stream]) -> str:
    """The table of monitors, best first and those that have not judged each stream last, and that of streams."""
    judged = {each.title: _judged(each, streams) for each in results}
    worths = {title: worth(_parts(found, streams)) for title, found in judged.items() if None not in found}
    order = sorted(judged, key=lambda title: (-worths.get(title, -1.0), title))
    calm = [
        sum(score(each, NOTHING).calm_years for each in streams if each.is_real is wanted) for wanted in (True, False)
    ]
    lines = ["## Monitors", "", f"| {' | '.join(COLUMNS)} |", "|---" + "|---:" * (len(COLUMNS) - 1) + "|"]
    for title in order:
        each = next(each for each in results if each.title == title)
        real, simulated = _parts(judged[title], streams)
        libraries = ", ".join(f"{name} {version}" for name, version in each.libraries.items())
        cells = [title, f"{worths[title]:.3f}" if title in worths else "-", _rate(real), _rate(simulated)]
        cells += [_paged(real), _paged(simulated), _median(simulated), each.date, libraries]
        lines.append(f"| {' | '.join(cells)} |")
    note = (
        f"Budget: {BUDGET:g} false page in a deployment-year; {calm[0]:.1f} years without harm are real and"
        f" {calm[1]:.1f} simulated. *Score*: a harm counts 1 if its first window pages, less by 1/{HORIZON} for each"
        f" later one, and 0 from {HORIZON} windows on; divided by the false pages a year of the real or the simulated"
        " streams where these are more than the budget. A dash: not run on all of these streams. *With*: what the"
        " adapter's environment has."
    )
    return "\n".join([*lines, "", note, "", *_streams(order, judged, streams)])


def _judged(results: Results, streams: Sequence[Stream]) -> list[Score | None]:
    return [score(each, results.outcomes[each.name]) if each.name in results.outcomes else None for each in streams]


def _parts(scores: Sequence[Score | None], streams: Sequence[Stream]) -> tuple[list[Score], list[Score]]:
    """The scores of the real streams, and of the simulated ones; none of a part that is not whole."""
    parts: tuple[list[Score], list[Score]] = ([], [])
    for part, wanted in zip(parts, (True, False), strict=True):
        found = [each for each, stream in zip(scores, streams, strict=True) if stream.is_real is wanted]
        part += [each for each in found if each is not None and None not in found]
    return parts


def _rate(scores: Sequence[Score]) -> str:
    years = sum(each.calm_years for each in scores)
    return f"{sum(each.false for each in scores) / years:.2f}" if years else "-"


def _paged(scores: Sequence[Score]) -> str:
    delays = [delay for each in scores for delay in each.delays]
    return f"{sum(delay is not None for delay in delays)} of {len(delays)}" if delays else "-"


def _median(scores: Sequence[Score]) -> str:
    delays = [HORIZON + 1 if delay is None else delay for each in scores for delay in each.delays]
    if not delays:
        return "-"
    middle = float(np.median(delays))
    return f"over {HORIZON}" if middle > HORIZON else f"{middle:g}"


def _streams(
    order: Sequence[str], judged: Mapping[str, Sequence[Score | None]], streams: Sequence[Stream]
) -> list[str]:
    lines = [
        "## Streams: false pages, and windows to the page",
        "",
        f"| stream | calm years | {' | '.join(order)} |",
        "|---" + "|---:" * (len(order) + 1) + "|",
    ]
    for at, stream in enumerate(streams):
        cells = [stream.name, f"{score(stream, NOTHING).calm_years:.1f}"]
        for found in (judged[title][at] for title in order):
            delays = [] if found is None else ["-" if delay is None else str(delay) for delay in found.delays]
            cells.append("" if found is None else "; ".join([str(found.false), *delays]))
        lines.append(f"| {' | '.join(cells)} |")
    note = f"A dash: not within {HORIZON} windows. Real streams have weekly windows, simulated ones daily ones."
    return [*lines, "", note, ""]


def write_page(path: Path, text: str) -> None:
    """Put the tables on a page: over those of an earlier run, or at its end."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    commit = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False).stdout.strip()
    header = ["| measured | commit | by |", "|---|---|---|"]
    header += [f"| {datetime.now(UTC):%Y-%m-%d} | `{commit}` | `python -m alarm_bench` |", ""]
    section = "\n".join([BEGIN, "", *header, text, END])
    page = path.read_text("utf-8") if path.exists() else "# A bench of monitors\n"
    page, replaced = re.subn(f"{BEGIN}.*?{END}", lambda _: section, page, flags=re.DOTALL)
    path.write_text(page if replaced else f"{page.rstrip()}\n\n{section}\n", "utf-8")
