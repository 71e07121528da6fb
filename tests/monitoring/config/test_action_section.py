from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.monitoring.config.configs import LEAST, load, problems

ROLL_BACK = (
    '[[action]]\nname = "Roll back"\nkind = "roll_back"\nmodel_config_file = "serving/models.config"\n'
    'label = "stable"\nserver = "http://127.0.0.1:8501/"\n'
)
COMMAND = '[[action]]\nname = "Stop orders"\nkind = "command"\ncommand = ["bin/stop", "; rm -rf x"]\ntimeout = "5s"\n'


def test_without_a_section_there_is_no_action(tmp_path: Path) -> None:
    assert load(tmp_path, LEAST).action == ()


def test_each_kind_is_read_with_its_keys(tmp_path: Path) -> None:
    back, command = load(tmp_path, LEAST + ROLL_BACK + COMMAND).action
    assert (back.name, back.label, back.server, back.command) == ("Roll back", "stable", "http://127.0.0.1:8501", None)
    assert back.model_config_file == tmp_path / "serving" / "models.config"
    assert back.timeout == timedelta(minutes=1)
    assert command.command == (str(tmp_path / "bin" / "stop"), "; rm -rf x")
    assert command.timeout == timedelta(seconds=5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('kind = "roll_back"', 'kind = "reboot"'), "kind"),
        (('label = "stable"\n', ""), "label is missing"),
        (('label = "stable"\n', 'label = "stable"\ncommand = ["x"]\n'), 'It is a key of the kind "command".'),
        (('"http://127.0.0.1:8501/"', '"ftp://h"'), "not the URL of a server"),
        (('"Roll back"', '"two\\nlines"'), "not the name of an action"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    found = " ".join(problems(tmp_path, LEAST + ROLL_BACK.replace(*change)))
    assert "[[action]] 1" in found
    assert said in found


def test_two_of_one_name_and_an_endless_one_are_refused(tmp_path: Path) -> None:
    assert "[[action]]" in problems(tmp_path, LEAST + ROLL_BACK + ROLL_BACK)[0]
    assert "1s to 10m" in problems(tmp_path, LEAST + COMMAND.replace('"5s"', '"1h"'))[0]
