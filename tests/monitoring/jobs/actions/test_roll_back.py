from __future__ import annotations

import socket
from pathlib import Path

import pytest

from monitoring.config.action_section import ActionSection
from monitoring.errors import BadInput, CannotRun
from monitoring.jobs.actions.roll_back import roll_back
from tests.monitoring.config.configs import LEAST, load

TEXT = 'model_config_list { config { name: "flights" version_labels { key: "stable" value: 9 } } }'


def action(folder: Path, port: int) -> ActionSection:
    section = (
        '[[action]]\nname = "Roll back"\nkind = "roll_back"\nmodel_config_file = "models.config"\nlabel = "stable"\n'
        f'server = "http://127.0.0.1:{port}"\n'
    )
    return load(folder, LEAST + section).action[0]


@pytest.fixture
def port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_a_server_that_is_away_leaves_the_file_alone(tmp_path: Path, port: int) -> None:
    file = tmp_path / "models.config"
    with pytest.raises(BadInput, match=r"cannot be read.*No such file"):
        roll_back(action(tmp_path, port), "flights", 9)
    file.write_text(TEXT)
    with pytest.raises(CannotRun, match="Nothing was changed"):
        roll_back(action(tmp_path, port), "flights", 9)
    assert file.read_text() == TEXT


def test_a_label_of_another_version_than_the_incidents_is_left_alone(tmp_path: Path, port: int) -> None:
    file = tmp_path / "models.config"
    file.write_text(TEXT)
    with pytest.raises(CannotRun, match="Got version 9 at the label stable; expected version 10"):
        roll_back(action(tmp_path, port), "flights", 10)
    assert file.read_text() == TEXT
