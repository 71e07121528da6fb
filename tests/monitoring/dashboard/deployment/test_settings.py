from __future__ import annotations

from pathlib import Path

from monitoring.config import load_config
from monitoring.dashboard.deployment.settings import settings_of, settings_table

CONFIG = """\
[model]
bundle = "models/flights"
[traffic]
path = "traffic"
slices = ["origin"]
[[notify]]
webhook = "https://hooks.example.org/secret-path"
[heartbeat]
url = "https://hc.example.org/secret-check"
[[notify]]
route = "command"
command = ["page-me", "--token", "secret-token"]
[[action]]
name = "Stop orders"
kind = "command"
command = ["/usr/local/bin/stop-orders", "--key", "secret-argument"]
[[action]]
name = "Look"
kind = "command"
command = ["/usr/local/bin/look"]
[store]
url = "postgresql://user:secret-password@db/pitfalls"
"""


def test_settings_are_shown_without_secrets(tmp_path: Path) -> None:
    path = tmp_path / "monitor.toml"
    path.write_text(CONFIG)
    shown = str(settings_of(load_config(path)))
    assert "origin" in shown
    assert "secret" not in shown
    assert settings_of(None) == ()


def test_every_setting_is_shown_with_where_it_comes_from_and_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "monitor.toml"
    path.write_text(CONFIG)
    table = settings_table(load_config(path))
    assert table is not None
    found = {row[0].text: (row[1].text, row[2].text) for row in table.rows}
    assert found["traffic.slices"] == ("origin", "config")
    assert found["windows.every"][1] == "default"
    assert found["heartbeat.url"] == ("https://hc.example.org/…", "config")
    assert found["store.url"] == ("postgresql://db/…", "config")
    assert found["notify 1.route"] == ("https://hooks.example.org/…", "config")
    assert found["action 1.command"] == ("/usr/local/bin/stop-orders (and arguments, which are not shown)", "config")
    assert found["action 2.command"] == ("/usr/local/bin/look", "config")
    assert "secret" not in str(table)
    assert settings_table(None) is None
