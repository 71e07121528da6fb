"""Where a metric's function comes from: a file next to the config, or an installed module, each as it is now."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from monitoring.deployment.metrics.metric_loading import load_metrics
from monitoring.errors import BadInput, CannotRun
from tests.monitoring.deployment.metrics.metric_configs import MISSED, config_of


def call(config: object) -> object:
    return load_metrics(config).metrics[0].function(3)  # type: ignore[arg-type]


def test_files_of_one_name_in_two_folders_are_two_modules_and_a_change_is_read(tmp_path: Path) -> None:
    code, before = "def missed(rows):\n    return {}\n", (list(sys.path), "own" in sys.modules)
    first, second = (config_of(tmp_path / name, code=code.format(f"'{name}'")) for name in ("a", "b"))
    assert (call(first), call(second)) == ("a", "b")
    config_of(tmp_path / "a", code=code.format("'changed'"))
    assert (call(first), call(second)) == ("changed", "b")
    assert (list(sys.path), "own" in sys.modules) == before


def test_a_file_next_to_the_config_stands_for_no_module_but_its_own(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(9)")
    code = "import json\n\ndef missed(rows):\n    return json.dumps(rows)\n"
    assert call(config_of(tmp_path, code=code)) == "3"


def test_an_installed_module_is_imported_by_its_name_once_and_a_change_needs_a_new_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "team_metrics"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "calls.py").write_text(MISSED)
    monkeypatch.syspath_prepend(str(package.parent))
    config = config_of(tmp_path / "config", "team_metrics.calls:missed", None)
    found = load_metrics(config).metrics[0]
    assert (found.file, found.function.__module__) == ("calls.py", "team_metrics.calls")
    (package / "calls.py").write_text(MISSED + "\n")
    with pytest.raises(CannotRun, match=r"team_metrics\.calls was changed after it had been imported.*Restart"):
        load_metrics(config)
    for name in ("team_metrics", "team_metrics.calls"):
        sys.modules.pop(name)


@pytest.mark.parametrize(
    ("function", "code", "said"),
    [
        ("own:missed", "", "no function missed in .*own.py; expected a function"),
        ("own:mised", MISSED, "no function mised in .*; expected one of: missed"),
        ("own:missed", "import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("own:missed", "raise SystemExit('no')", "SystemExit: no"),
        ("own:missed", "def missed(:", "SyntaxError"),
        ("own:missed", "from textwrap import dedent as missed", "that own has from textwrap; expected the module that"),
        ("own:missed", "missed = 3", "Got 3; expected a function"),
        ("nowhere:missed", MISSED, "no module nowhere of Python source; expected nowhere.py in .*config, or a module"),
        ("own.deeper:missed", MISSED, "no module own.deeper"),
        ("json.nowhere:missed", MISSED, "no module json.nowhere"),
        ("math:ceil", MISSED, "no module math of Python source"),
    ],
)
def test_what_cannot_be_imported_is_refused_in_words(tmp_path: Path, function: str, code: str, said: str) -> None:
    with pytest.raises(BadInput, match=rf"^The function of the metric missed cannot be used\. .*{said}"):
        load_metrics(config_of(tmp_path / "config", function, code))
