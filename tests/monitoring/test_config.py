from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from monitoring.config import ConfigDraft, DraftedWebhook, MonitorConfig, load_config, render_config, settings_digest
from monitoring.config.values import budget, budget_numbers, window_length
from monitoring.errors import BadInput
from monitoring.evidence.budget import Budget
from monitoring.traffic.windows import WindowPlan

LEAST = '[model]\nbundle = "models/flights"\n[traffic]\npath = "traffic"\n'


def load(folder: Path, text: str) -> MonitorConfig:
    path = folder / "monitor.toml"
    path.write_text(text, "utf-8")
    return load_config(path)


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        load(folder, text)
    head, *lines = str(caught.value).splitlines()
    assert head.startswith(f"{folder / 'monitor.toml'} cannot be used.")
    return [line.strip() for line in lines]


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


def test_the_folder_of_one_version_names_model_and_version(tmp_path: Path) -> None:
    model = load(tmp_path, LEAST.replace("models/flights", "models/flights/3")).model
    assert (model.name, model.version, model.folder) == ("flights", 3, tmp_path / "models/flights")


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


def test_traffic_may_be_at_a_url(tmp_path: Path) -> None:
    config = load(tmp_path, LEAST.replace('"traffic"', '"s3://bucket/live/*.parquet"'))
    assert config.traffic.path == "s3://bucket/live/*.parquet"


def test_nothing_can_be_changed_later(tmp_path: Path) -> None:
    config = load(tmp_path, LEAST)
    with pytest.raises(ValidationError):
        config.windows.min_rows = 1


def test_every_problem_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = """\
[model]
bundel = "models/flights"

[traffic]   # comments do not count
path = 3
slices = [
  "origin",  # nor do arrays over many lines
  "origin",
]

[windows]
every = "1 day"
timezone = "Europe/Pariss"
slices = ["origin"]

[[notify]]
webhook = "https://hooks.example.org/one"
[[notify]]
webhook = "https://hooks.example.org/two"
level = "pager"

[budgets]
page = "1 per 365 windows"
"""
    found = problems(tmp_path, text)
    assert [line.split(":")[0] for line in found] == [
        "line 1, [model] bundle",
        "line 2, [model] bundel",
        "line 5, [traffic] path",
        "line 6, [traffic] slices",
        "line 12, [windows] every",
        "line 13, [windows] timezone",
        "line 14, [windows] slices",
        "line 20, [[notify]] 2 level",
        "line 22, [budgets]",
    ]
    assert found[1].endswith("Did you mean bundle?")
    assert 'Did you mean "Europe/Paris"?' in found[5]
    assert found[6].endswith("It belongs in [traffic].")
    assert found[8].endswith("Did you mean budget?")
    assert all("Got " in line and "; expected " in line for line in found)


@pytest.mark.parametrize(
    ("section", "setting", "part"),
    [
        ("windows", 'every = "5h"', "divide a day evenly"),
        ("windows", 'every = "36h"', "whole days"),
        ("windows", 'every = "0d"', "whole days"),
        ("windows", 'every = "367d"', "at most 366"),
        ("windows", 'every = "90s"', "minutes or hours"),
        ("windows", "every = 1", "text in quotes"),
        ("windows", "rows = 0", "at least 1"),
        ("windows", 'lateness = "6 hours"', "a whole number and a unit"),
        ("windows", "lateness = 6", "a whole number and a unit"),
        ("windows", 'lateness = "9999999d"', "at most ten years"),
        ("windows", 'label_horizon = "0d"', "more than zero"),
        ("windows", "min_rows = 0", "at least 1"),
        ("windows", "min_rows = 2.5", "a whole number"),
        ("windows", "min_rows = true", "a whole number"),
        ("windows", 'timezone = "Mars"', "IANA"),
        ("windows", 'timezone = "../etc/passwd"', "IANA"),
        ("budget", 'page = "365"', "N per W windows"),
        ("budget", 'notice = "30 per 30 windows"', "1 <= N < W"),
        ("tolerance", "error = 2", "at most 1.0"),
        ("tolerance", "error = -0.1", "at least 0.0"),
        ("tolerance", "brier = nan", "a finite number"),
        ("tolerance", 'integrity = "1 %"', "a number"),
        ("schedule", 'cron = "15 * * *"', "five fields"),
        ("schedule", 'cron = "61 * * * *"', "not a cron expression"),
        ("schedule", 'cron = "0 6 * * 1"', "by number mean different days"),
        ("schedule", 'cron = "0 0 31 2 *"', "never comes"),
        ("store", 'url = "mysql://me:secret@host/db"', "mysql://host/…"),
        ("store", 'url = "sqlite://"', "in memory forgets"),
        ("store", 'url = "sqlite:///:memory:"', "in memory forgets"),
        ("store", 'url = "pitfalls.db"', "not the URL of a store"),
    ],
)
def test_a_wrong_value_is_one_problem_on_its_own_line(tmp_path: Path, section: str, setting: str, part: str) -> None:
    (line,) = problems(tmp_path, f"{LEAST}\n[{section}]\n{setting}\n")
    assert line.startswith(f"line 7, [{section}] {setting.partition(' ')[0]}: ")
    assert part in line
    assert "secret" not in line


@pytest.mark.parametrize(
    ("path", "part"),
    [('""', "not a path"), ('"a\\u0000b"', "not a path"), ('"://traffic"', "only traffic and its labels may be")],
)
def test_a_path_that_is_none_is_refused(tmp_path: Path, path: str, part: str) -> None:
    (line,) = problems(tmp_path, LEAST.replace('"traffic"', path))
    assert line.startswith("line 4, [traffic] path: ")
    assert part in line


@pytest.mark.parametrize("names", ['[""]', '["a", "a"]', "[3]", '"origin"', "[[]]"])
def test_slices_are_distinct_names(tmp_path: Path, names: str) -> None:
    (line,) = problems(tmp_path, f"{LEAST}slices = {names}\n")
    assert line.startswith("line 5, [traffic] slices")


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/secret",
        "http://127.0.0.1.example.org/secret",
        "ftp://127.0.0.1/secret",
        "https:///secret",
        "https://user:secret@[::1/secret",
        "https://host:99999/secret",
        "https://host/secret\\n",
        "secret",
    ],
)
def test_a_webhook_is_encrypted_or_local_and_its_secret_stays_out_of_messages(tmp_path: Path, url: str) -> None:
    (line,) = problems(tmp_path, f'{LEAST}[[notify]]\nwebhook = "{url}"\n')
    assert line.startswith("line 6, [[notify]] 1 webhook: not a webhook")
    assert "secret" not in line


@pytest.mark.parametrize(
    "url", ["https://h.example/x", "http://127.0.0.1:8000", "http://localhost/a", "http://[::1]:1/"]
)
def test_webhooks_that_may_be_told(tmp_path: Path, url: str) -> None:
    (webhook,) = load(tmp_path, f'{LEAST}[[notify]]\nwebhook = "{url}"\nlevel = "notice"\n').notify
    assert (webhook.webhook, webhook.level) == (url, "notice")


def test_sections_of_another_kind_are_told(tmp_path: Path) -> None:
    found = problems(tmp_path, 'windows = 3\n[notify]\nwebhook = "https://h.example"\n[model]\nbundle = "m"\n')
    assert "a section, headed [windows]" in found[0]
    assert found[1].startswith("line 2, [[notify]]: ")
    assert "headed [[notify]]" in found[1]
    assert found[2].startswith("line 5, [traffic]: missing.")


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
def test_what_is_not_toml_is_told_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    (problem,) = problems(tmp_path, text)
    assert problem.startswith(f"line {line}: not valid TOML.")


def test_a_key_with_a_line_break_stays_on_one_line(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, LEAST + '"a\\nb" = 1\n')
    assert line.startswith('line 5, [traffic] "a\\nb": unknown key.')


def test_text_that_is_not_utf8_is_told_with_its_line(tmp_path: Path) -> None:
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


@given(st.from_regex(r"\s?[0-9]{1,4} (per|in|of) [0-9]{1,4} (windows?|rows)", fullmatch=True))
def test_config_and_evidence_agree_on_what_a_budget_is(text: str) -> None:
    try:
        parsed = Budget.parse(text)
    except BadInput:
        with pytest.raises(ValueError, match="not a budget"):
            budget(text)
    else:
        assert budget_numbers(budget(text)) == (parsed.alarms, parsed.windows)


@given(st.from_regex(r"[0-9]{1,3}[smhdw]", fullmatch=True))
def test_windows_that_the_config_lets_pass_can_be_cut(text: str) -> None:
    try:
        window_length(text)
    except ValueError:
        return
    assert WindowPlan(every=text).every == text


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20).filter(
    lambda text: bool(text.strip()) and "://" not in text
)
unit = st.floats(0.0, 1.0)


@given(
    bundle=texts,
    names=st.lists(texts, max_size=3, unique=True),
    numbers=st.tuples(unit, unit, st.none() | unit),
    rows=st.integers(1, 10**9),
    webhooks=st.lists(st.sampled_from(["https://h.example/a?b=c", "http://localhost:1"]), max_size=2),
)
def test_a_rendered_draft_reads_back_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    bundle: str,
    names: list[str],
    numbers: tuple[float, float, float | None],
    rows: int,
    webhooks: list[str],
) -> None:
    folder = tmp_path_factory.getbasetemp()
    draft = ConfigDraft(
        bundle=bundle,
        traffic="traffic",
        probabilities=bundle,
        slices=tuple(names),
        min_rows=rows,
        error=numbers[0],
        integrity=numbers[1],
        brier=numbers[2],
        webhooks=tuple(DraftedWebhook(webhook=url, level="notice") for url in webhooks),
    )
    config = load(folder, render_config(draft))
    assert config.model.bundle == (folder / bundle).absolute()
    assert config.model.probabilities == bundle
    assert config.traffic.slices == tuple(names)
    assert config.windows.min_rows == rows
    assert (config.tolerance.error, config.tolerance.integrity, config.tolerance.brier) == numbers
    assert [(hook.webhook, hook.level) for hook in config.notify] == [(url, "notice") for url in webhooks]


def test_a_rendered_draft_without_more_means_the_defaults(tmp_path: Path) -> None:
    assert load(tmp_path, render_config(ConfigDraft(bundle="models/flights", traffic="traffic"))) == load(
        tmp_path, LEAST
    )


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
        'label = "late"\n',
    ],
)
def test_settings_that_change_the_meaning_of_evidence_change_the_digest(tmp_path: Path, more: str) -> None:
    assert settings_digest(load(tmp_path, LEAST + more)) != settings_digest(load(tmp_path, LEAST))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (LEAST + 'predicted = " "\n', "line 5, [traffic] predicted: an empty name."),
        (LEAST + 'scores = ["p"]\npredicted = "answer"\n', "either scores or predicted"),
        (LEAST.replace("[traffic]", 'baseline = "b"\n[traffic]'), "either bundle or baseline"),
        ('[model]\nclasses = ["a", "b"]\n[traffic]\n', "line 1, [model] bundle: missing. Got nothing"),
    ],
)
def test_what_does_not_go_together_is_one_problem(tmp_path: Path, text: str, part: str) -> None:
    (line,) = problems(tmp_path, text)
    assert part in line


def test_a_baseline_of_a_table_goes_by_the_name_of_its_folder(tmp_path: Path) -> None:
    config = load(
        tmp_path, '[model]\nbaseline = "watched/baseline"\n[traffic]\nscores = ["p"]\n[windows]\nrows = 500\n'
    )
    assert (config.model.name, config.model.version, config.traffic.path) == ("watched", None, None)
    assert config.traffic.label_log == tmp_path / "label-log"
    assert config.windows.rows == 500


def test_paths_schedule_store_notification_and_spelling_do_not_change_the_digest(tmp_path: Path) -> None:
    one = LEAST + 'slices = ["a", "b"]\n'
    other = (
        one.replace("models/", "elsewhere/").replace('["a", "b"]', '["b", "a"]')
        + '[windows]\nlateness = "360m"\n[budget]\npage = "1  in 365 Windows"\n[schedule]\ncron = "0 6 * * mon"\n'
        + '[store]\nurl = "sqlite:///other.db"\n[[notify]]\nwebhook = "https://h.example"\n'
    )
    (tmp_path / "other").mkdir()
    assert settings_digest(load(tmp_path / "other", other)) == settings_digest(load(tmp_path, one))


def test_importing_the_config_loads_no_scheduler() -> None:
    probe = "import sys, monitoring.config; print({'apscheduler', 'sqlalchemy', 'tensorflow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
