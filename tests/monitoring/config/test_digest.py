from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.config import settings_digest
from tests.monitoring.config.configs import LEAST, load


@pytest.mark.parametrize(
    "more",
    [
        '[windows]\nevery = "7d"\n',
        '[windows]\ntimezone = "Europe/Paris"\n',
        '[windows]\nlateness = "0s"\n',
        "[windows]\nmin_rows = 1\n",
        '[windows]\nlabel_horizon = "1d"\n',
        '[budget]\npage = "1 per 100 windows"\n',
        '[budget]\nnotice = "2 per 730 windows"\n',
        "[tolerance]\nerror = 0.0\n",
        "[tolerance]\nbrier = 0.02\n",
        "[tolerance]\nintegrity = 0.02\n",
        "[windows]\nrows = 500\n",
        'slices = ["origin"]\n',
        'exclude_callers = ["load-test"]\n',
        'label = "late"\n',
    ],
)
def test_settings_that_change_the_meaning_of_evidence_change_the_digest(tmp_path: Path, more: str) -> None:
    assert settings_digest(load(tmp_path, LEAST + more)) != settings_digest(load(tmp_path, LEAST))


def test_paths_schedule_store_notification_and_spelling_do_not_change_the_digest(tmp_path: Path) -> None:
    one = LEAST + 'slices = ["a", "b"]\n'
    other = (
        one.replace("models/", "elsewhere/").replace('["a", "b"]', '["b", "a"]')
        + '[windows]\nlateness = "360m"\n[budget]\npage = "1  in 365 Windows"\n[schedule]\ncron = "0 6 * * mon"\n'
        + '[store]\nurl = "sqlite:///other.db"\n[[notify]]\nwebhook = "https://h.example"\n'
        + '[deployment]\nteam = "credit"\ntags = ["eu"]\n'
    )
    (tmp_path / "other").mkdir()
    assert settings_digest(load(tmp_path / "other", other)) == settings_digest(load(tmp_path, one))
