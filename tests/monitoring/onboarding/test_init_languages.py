"""Texts in two languages: another mix of them is told by the language of each text, where the library is installed."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from monitoring import Monitor
from monitoring.errors import BadInput

ENGLISH = (
    "The parcel arrived {} days late and the box was open.",
    "I have been waiting {} days for an answer to my letter.",
    "Please send me {} of the small ones, and the bill.",
)
GERMAN = (
    "Das Paket kam {} Tage zu spät, und der Karton war offen.",
    "Ich warte seit {} Tagen auf eine Antwort auf meinen Brief.",
    "Bitte schicken Sie mir {} von den kleinen, und die Rechnung.",
)


def notes(first: str, days: int, *, german: float) -> pd.DataFrame:
    """Sixty notes a day, a share of them German."""
    rng = np.random.default_rng(days)
    rows = days * 60
    chosen = zip(rng.random(rows) < german, rng.integers(0, 3, rows), rng.integers(2, 99, rows), strict=True)
    return pd.DataFrame(
        {
            "at": pd.Timestamp(first, tz="UTC") + pd.to_timedelta(np.arange(rows) * 1440, unit="s"),
            "id": [f"{first}-{row}" for row in range(rows)],
            "note": [(GERMAN if foreign else ENGLISH)[form].format(number) for foreign, form, number in chosen],
        }
    )


def test_another_mix_of_languages_is_told_and_a_run_without_the_library_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("py3langid")
    monitor = Monitor.from_reference(
        notes("2024-01-01", 25, german=0.2),
        out=tmp_path / "notes",
        event_time="at",
        prediction_id="id",
        task="inputs",
        dictionary={"note": {"kind": "text"}},
        settings={"windows": {"min_rows": 20}},
    )
    assert next(one.why for one in monitor.columns if one.name == "note").endswith("note.script, note.language")
    live = notes("2024-02-01", 3, german=0.6)
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "py3langid", None)
        with pytest.raises(BadInput, match=re.escape("pip install pitfalls-tf[language]")):
            monitor.run(live)
    found = monitor.run(live)
    assert found.incidents[0].window_end.day == 3
    moved = {score.watch: score.log_evidence for score in found.windows[1].scores}
    assert min(moved[f"input:note.language={language}"] for language in ("en", "de")) > 3
    page = monitor.report(live, tmp_path / "report", drift=False).page.read_text("utf-8")
    assert "note.language" in page


def test_a_baseline_that_was_made_without_the_library_stays_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = notes("2024-01-01", 21, german=0.0)
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "py3langid", None)
        monitor = Monitor.from_reference(
            rows, out=tmp_path / "notes", event_time="at", task="inputs", dictionary={"note": {"kind": "text"}}
        )
    description = json.loads((tmp_path / "notes" / "baseline" / "baseline.json").read_text("utf-8"))
    assert "language" not in description["described"][0]
    found = monitor.run(notes("2024-02-01", 3, german=0.0))
    assert not any("note.language" in score.watch for window in found.windows for score in window.scores)
