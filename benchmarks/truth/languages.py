"""Texts in another language of the same script: told by descriptors of texts, and by a language identifier."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from unittest.mock import patch

import numpy as np
import pandas as pd

from benchmarks.results import Cell, Result, Settings, Table
from monitoring import Monitor
from monitoring.errors import BadInput
from monitoring.traffic.descriptors.language import require_languages

#: Folder of the texts, below that of results: LANGUAGE.txt, one a line, each once.
FOLDER = "languages"
LANGUAGES = ("en", "es", "de", "fr", "pt", "it", "nl", "pl", "id")
SOURCE = "descriptions of commands in pages, pages.es, … of tldr-pages/tldr (GitHub)"

SCRIPT = Path(__file__).with_name("languages_script.py")
IDENTIFIER = "py3langid==0.4.0"

#: Rows a day, and days: of the reference, of clean traffic, and of traffic after the change.
ROWS = 140
REFERENCE, CLEAN, CHANGED = 40, 15, 15

START = datetime(2024, 1, 1, tzinfo=UTC)
SEED = 20_130_812
STREAMS, STREAMS_QUICK = 5, 1

#: Points by which the share of a language rises.
SHARES = (0.05, 0.10, 0.20)

Texts = Mapping[str, tuple[list[str], list[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """The languages of a reference with their shares, and the one of which there are more."""

    title: str
    before: Mapping[str, float]
    more: str


MIXES = (
    Mix(title="English; Spanish is new", before={"en": 1.0}, more="es"),
    Mix(title="Spanish; Portuguese is new", before={"es": 1.0}, more="pt"),
    Mix(title="English, 20 % Spanish, 10 % German; more German", before={"en": 0.7, "es": 0.2, "de": 0.1}, more="de"),
    Mix(title="English, 50 % Spanish; more Spanish", before={"en": 0.5, "es": 0.5}, more="es"),
)

#: What is watched: columns of the stream, and whether the language is one of the descriptors.
WATCHED: Mapping[str, tuple[tuple[str, ...], bool]] = {
    "descriptors": (("text",), False),
    "descriptors and language": (("text", "language"), False),
    "language alone": (("language",), False),
    "descriptors with language": (("text",), True),
}


def measure(settings: Settings) -> Result:
    """Measure every mix. Cost: some seven minutes of a core."""
    require_languages()
    texts = read_texts(settings.out)
    streams = STREAMS_QUICK if settings.quick else STREAMS
    rows: list[tuple[Cell, ...]] = []
    for mix in MIXES[:1] if settings.quick else MIXES:
        for share in SHARES:
            cells: list[Cell] = []
            for columns, described in WATCHED.values():
                with nullcontext() if described else patch.dict(sys.modules, py3langid=None):
                    runs = [first_alarms(mix, share, columns, texts, stream) for stream in range(streams)]
                delays = [CHANGED + 1 if delay is None else delay for _, delay in runs]
                detected = sum(delay <= CHANGED for delay in delays)
                middle = median(delays)
                cells += [f"{detected} / {middle if middle <= CHANGED else '-'}", sum(clean for clean, _ in runs)]
            rows.append((mix.title, f"{100 * share:.0f} points", *cells))
            print(*rows[-1], file=sys.stderr, flush=True)
    table = Table(
        title="Texts of another language with the same script",
        columns=("texts", "more", *(column for name in WATCHED for column in (name, f"{name}: clean"))),
        rows=tuple(rows),
        note=(
            f"Of {streams} streams, how many have an incident after the change / its window, median; and incidents in"
            f" the {CLEAN} clean windows of all of them. {ROWS} texts a day, none twice: {REFERENCE} days of reference,"
            f" {CLEAN} clean ones, {CHANGED} after the change. Language: as {IDENTIFIER} tells it, of the"
            f" {len(LANGUAGES)} that there are texts of; a category. Descriptors with language: those of"
            " texts where the extra is installed."
        ),
    )
    return Result(tables=(table,))


def read_texts(out: Path) -> Texts:
    """The texts of each language, and the language that the identifier tells of each; which is made if it is missing.

    Raises:
        BadInput: There are no texts.
    """
    folder = out / FOLDER
    absent = [name for name in LANGUAGES if not (folder / f"{name}.txt").is_file()]
    if absent:
        raise BadInput(
            "There are no texts.",
            got=f"no {', '.join(f'{name}.txt' for name in absent)} in {folder}",
            expected="texts of each language, one a line",
            fix=f"Make them from {SOURCE}.",
        )
    if not all((folder / f"{name}-told.json").is_file() for name in LANGUAGES):
        python = out / "py3langid" / "bin" / "python"
        if not python.is_file():
            uv = Path(sys.executable).with_name("uv")
            subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, out / "py3langid"], check=True)
            subprocess.run([uv, "pip", "install", "--quiet", "--python", python, IDENTIFIER], check=True)
        subprocess.run([python, SCRIPT, folder, *LANGUAGES], check=True)
    return {
        name: (
            (folder / f"{name}.txt").read_text("utf-8").splitlines(),
            json.loads((folder / f"{name}-told.json").read_text("utf-8")),
        )
        for name in LANGUAGES
    }


def drawn(mix: Mix, share: float, texts: Texts, stream: int) -> pd.DataFrame:
    """A stream: no text twice, the language of each row drawn by itself.

    Args:
        share: By how much the share of one of them rises, at the cost of the others in proportion.

    Returns:
        Columns `at`, `text` and `language`, as the identifier tells it.
    """
    rng = np.random.default_rng([SEED, stream])
    names = list(dict.fromkeys((*mix.before, mix.more)))
    before = np.array([mix.before.get(name, 0.0) for name in names])
    more = np.array([name == mix.more for name in names])
    after = np.where(more, before + share, before * (1.0 - share / (1.0 - before[more].sum())))
    days = REFERENCE + CLEAN + CHANGED
    rows = days * ROWS
    changed = np.arange(rows) >= (REFERENCE + CLEAN) * ROWS
    codes = np.where(changed, rng.choice(len(names), rows, p=after), rng.choice(len(names), rows, p=before))
    day, second = np.arange(rows) // ROWS, np.arange(rows) % ROWS * (86_400 // ROWS)
    at = pd.Timestamp(START) + pd.to_timedelta(day, unit="D") + pd.to_timedelta(second, unit="s")
    frame = pd.DataFrame({"at": at})
    for column, part in (("text", 0), ("language", 1)):
        cells = np.empty(rows, dtype=object)
        for code, name in enumerate(names):
            indices = np.flatnonzero(codes == code)
            places = np.random.default_rng([SEED, stream, code]).permutation(len(texts[name][0]))[: indices.size]
            cells[indices] = np.array(texts[name][part], dtype=object)[places]
        frame[column] = cells
    return frame


def first_alarms(mix: Mix, share: float, columns: Sequence[str], texts: Texts, stream: int) -> tuple[int, int | None]:
    """Incidents that began in clean windows, and the windows from the change to the first one after it."""
    rows = drawn(mix, share, texts, stream)[["at", *columns]]
    reference_rows = REFERENCE * ROWS
    now = START + timedelta(days=REFERENCE + CLEAN + CHANGED, hours=7)
    monitor = Monitor.from_reference(rows[:reference_rows], event_time="at", task="inputs", clock=lambda: now)
    incidents = monitor.run(rows[reference_rows:]).incidents
    change = START + timedelta(days=REFERENCE + CLEAN)
    began = [incident.opened_at for incident in incidents]
    return sum(at <= change for at in began), min(((at - change).days for at in began if at > change), default=None)
