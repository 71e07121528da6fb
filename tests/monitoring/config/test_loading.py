from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from monitoring.config import load_config, read_dictionary
from monitoring.errors import BadInput
from tests.monitoring.config.configs import LEAST, load, problems


def test_two_lines_are_enough_and_everything_else_has_a_default(tmp_path: Path) -> None:
    config = load(tmp_path, LEAST)
    assert config.model.bundle == tmp_path / "models/flights"
    assert (config.model.name, config.model.version) == ("flights", None)
    assert config.traffic.path == tmp_path / "traffic"
    assert config.windows.every == "1d"
    assert config.windows.lateness == timedelta(hours=6)
    assert config.windows.label_horizon == timedelta(days=7)
    assert (config.budget.page, config.budget.notice) == ("1 per 365 windows", "1 per 30 windows")
    assert (config.tolerance.error, config.tolerance.brier, config.tolerance.integrity) == (0.02, None, 0.01)
    assert config.store.url == f"sqlite:///{tmp_path}/pitfalls.db"
    assert config.notify == ()


def test_paths_are_relative_to_the_file_even_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "monitor.toml").write_text(LEAST + '[store]\nurl = "sqlite:///state/p.db?timeout=3"\n', "utf-8")
    monkeypatch.chdir(tmp_path)
    config = load_config(Path("monitor.toml"))
    monkeypatch.chdir("/")
    assert config.traffic.path == tmp_path / "traffic"
    assert config.store.url == f"sqlite:///{tmp_path}/state/p.db?timeout=3"


def test_absolute_paths_and_other_databases_stay_as_they_are(tmp_path: Path) -> None:
    url = "postgresql+pg8000://me:secret@db.example/pitfalls"
    config = load(tmp_path, LEAST.replace('"traffic"', '"/var/traffic"') + f'[store]\nurl = "{url}"\n')
    assert config.traffic.path == Path("/var/traffic")
    assert config.store.url == url
    assert "secret" not in repr(config)


def test_the_store_may_be_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgresql+pg8000://me:secret@db.example/pitfalls"
    monkeypatch.setenv("PITFALLS_STORE_URL", url)
    assert load(tmp_path, LEAST).store.url == url
    assert load(tmp_path, LEAST + '[store]\nurl = "sqlite:///mine.db"\n').store.url == url
    monkeypatch.setenv("PITFALLS_STORE_URL", "sqlite:///ours.db")
    assert load(tmp_path, LEAST).store.url == f"sqlite:///{tmp_path}/ours.db"
    monkeypatch.setenv("PITFALLS_STORE_URL", "")
    assert load(tmp_path, LEAST).store.url == f"sqlite:///{tmp_path}/pitfalls.db"


def test_a_wrong_store_of_the_environment_is_said_to_be_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PITFALLS_STORE_URL", "mysql://me:secret@db.example/pitfalls")
    wrong = problems(tmp_path, LEAST + '[windows]\nevery = "1 day"\n')
    assert [problem for problem in wrong if "PITFALLS_STORE_URL" in problem] == wrong[1:]
    assert "secret" not in wrong[1]


def test_traffic_may_be_at_a_url(tmp_path: Path) -> None:
    config = load(tmp_path, LEAST.replace('"traffic"', '"s3://bucket/live/*.parquet"'))
    assert config.traffic.path == "s3://bucket/live/*.parquet"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[model]\nbundle = \n", 2),
        ("[model]\n\nbundle = 'a", 3),
        ("[model]\n[model]\n", 2),
        ("\n\n]", 3),
        ("a = " + "[" * 100_000, 1),
        ("a = 1\nb = " + "9" * 5000, 2),
    ],
)
def test_what_is_not_toml_is_refused_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    (problem,) = problems(tmp_path, text)
    assert problem.startswith(f"line {line}: not valid TOML.")


@pytest.mark.parametrize(
    "line", ['url "sqlite://u:hunter2@h"', '"sqlite://u:hunter2@h?a=b', "[url sqlite://u:hunter2@h"]
)
def test_a_line_that_is_not_toml_is_shown_without_its_value(tmp_path: Path, line: str) -> None:
    (problem,) = problems(tmp_path, f"[store]\n{line}\n")
    assert "hunter2" not in problem


def test_text_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "monitor.toml"
    path.write_bytes(b"[model]\nbundle = '\xff'\n")
    with pytest.raises(BadInput, match="line 2: not UTF-8"):
        load_config(path)


def test_files_written_on_windows_are_read_and_count_the_same_lines(tmp_path: Path) -> None:
    path = tmp_path / "monitor.toml"
    path.write_bytes(b"\xef\xbb\xbf" + LEAST.replace("\n", "\r\n").encode() + b"[windows]\r\nmin_rows = 0\r\n")
    with pytest.raises(BadInput, match=r"line 6, \[windows\] min_rows"):
        load_config(path)


def test_a_missing_file_a_folder_and_a_giant_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="monitor init"):
        load_config(tmp_path / "none.toml")
    with pytest.raises(BadInput, match="cannot be read"):
        load_config(tmp_path)
    (tmp_path / "giant.toml").write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(BadInput, match="too large"):
        load_config(tmp_path / "giant.toml")


def test_importing_the_config_loads_no_scheduler() -> None:
    probe = "import sys, monitoring.config; print({'apscheduler', 'sqlalchemy', 'tensorflow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_dictionary_is_the_columns_of_a_file_whatever_else_it_has(tmp_path: Path) -> None:
    path = tmp_path / "columns.toml"
    path.write_text(
        '[other]\nkey = 1\n[columns]\n"zip code" = { kind = "category" }\n[columns.note]\nrole = "ignored"\n'
    )
    assert {name: (one.kind, one.role) for name, one in read_dictionary(path).items()} == {
        "zip code": ("category", None),
        "note": (None, "ignored"),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[model]\n", r"no columns.*\[model\]"),
        ('[columns]\n\na = { kind = "float" }\n', r"line 3, \[columns\] a kind"),
        ("[columns\n", "not valid TOML"),
    ],
)
def test_a_file_that_is_no_dictionary_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "columns.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(BadInput, match=message):
        read_dictionary(path)


def test_labels_of_a_config_in_a_folder_that_cannot_be_written_are_kept_in_the_state_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "monitors" / "monitor.toml"
    path.parent.mkdir()
    path.write_text('[model]\nbaseline = "b"\n[traffic]\npath = "live"\n')
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert load_config(path).traffic.label_log == path.parent / "label-log"
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write whatever the mode says
    found = load_config(path).traffic.label_log
    assert found.parent == tmp_path / "state" / "pitfalls" / "label-logs"
    assert load_config(path).traffic.label_log == found
    path.write_text(path.read_text() + 'label_log = "own"\n')
    assert load_config(path).traffic.label_log == path.parent / "own"
