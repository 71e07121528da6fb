"""Writes the table of forms: which have the records of plain rows, and what is said of the others."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from monitoring.errors import PitfallsError
from tests.forms.forms import CELLS, DATES, FILES, FORMS, IDS
from tests.forms.streams import PLAIN, TASKS, Form, differences, records, remarks, said, stream
from tests.monitoring.engines.engine_runs import Records

COMMAND = "python -m tests.forms.page docs/measurements/forms.md"

COLUMNS = ("two classes", "three classes", "a number", "said of how it is read")

#: What follows it is written by the command, what stands before it by hand.
BEGIN = "<!-- tables -->"


def main(path: Path) -> None:
    """Write the tables of the page."""
    parts = [
        path.read_text("utf-8").partition(BEGIN)[0] + BEGIN,
        "",
        f"Written by `{COMMAND}` on {datetime.now(UTC).date()}.",
        "",
    ]
    with TemporaryDirectory() as folder:
        plain = {
            (task, harm, dates): records(
                stream(task, harm=harm, dates=dates), PLAIN, Path(folder) / f"{task}-{harm}-{dates}"
            )
            for task in TASKS
            for harm in (True, False)
            for dates in (True, False)
        }
    sections = (("Cells", CELLS), ("Dates alone", DATES), ("Ids", IDS), ("Files and databases", FILES))
    with ProcessPoolExecutor(mp_context=get_context("forkserver")) as pool:
        rows = dict(zip(FORMS, pool.map(partial(_row, plain=plain), FORMS), strict=True))
    for title, forms in sections:
        parts += [f"## {title}", "", f"| form | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 1) + "|"]
        parts += [f"| {name} | {' | '.join(rows[name])} |" for name in forms]
        parts.append("")
    path.write_text("\n".join(parts).rstrip() + "\n", encoding="utf-8")


def _row(name: str, plain: Mapping[tuple[str, bool, bool], Records]) -> list[str]:
    form = FORMS[name]
    cells, lines = [], set()
    for task in TASKS:
        verdicts = []
        for harm in (True, False):
            rows, like = stream(task, harm=harm, dates=form.dates), plain[task, harm, form.dates]
            with TemporaryDirectory() as folder:
                try:
                    found = records(rows, form if harm else replace(form, is_live=True), Path(folder) / "form")
                except PitfallsError as error:
                    verdicts.append(f"refused: {str(error).splitlines()[0]}")
                    continue
            lines |= {remark.partition(": ")[2] for remark in remarks(found)}
            verdicts.append(_verdict(form, like, found))
        cells.append("same" if set(verdicts) == {"same"} else f"{verdicts[0]}; live alone: {verdicts[1]}")
    return [*cells, "; ".join(sorted(lines))]


def _verdict(form: Form, plain: Records, found: Records) -> str:
    if not differences(plain, form, found):
        return "same"
    return ", ".join(said(plain, found)) or form.other or "other, and nothing is said"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
