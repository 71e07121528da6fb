"""[[metric]] sections: names, places of functions, and the folder that they are looked for in."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.config import MetricDraft, MonitorConfig, check_settings, load_config, render_config
from monitoring.config.loading import parse_config
from monitoring.config.metric_section import metric_function, metric_name
from monitoring.errors import InvalidSettings

HEAD = '[model]\nbundle = "m"\n[traffic]\npath = "t"\n'

BUNDLE = {"model": {"bundle": "m"}, "traffic": {"path": "t"}}


def problems(sections: str) -> str:
    found = parse_config(HEAD + sections, Path("/srv"))
    assert not isinstance(found, MonitorConfig)
    return "\n".join(map(str, found))


def test_a_metric_is_looked_for_in_the_configs_folder(tmp_path: Path) -> None:
    text = f'{HEAD}[[metric]]\nname = "missed"\nfunction = "a.b:c"\ninputs = ["distance"]\ntolerance = 0.02\n'
    config = parse_config(text, tmp_path)
    assert isinstance(config, MonitorConfig)
    (one,) = config.metric
    assert (one.module, one.function_name, one.folder, one.inputs) == ("a.b", "c", tmp_path, ("distance",))
    assert (one.tolerance, one.higher_is_better) == (0.02, False)
    assert one.in_folder(tmp_path / "x").folder == tmp_path / "x"
    assert one.folder == tmp_path


@pytest.mark.parametrize("name", ["", "Missed", "missed calls", "1st", "a" * 41, "a:b"])
def test_names_are_small_words(name: str) -> None:
    assert metric_name("missed_calls_2") == "missed_calls_2"
    assert "[[metric]] 1 name: not a metric's name." in problems(f'[[metric]]\nname = "{name}"\nfunction = "a:b"\n')


@pytest.mark.parametrize("function", ["", "a", "a.b", "a:", ":b", "a:b:c", "a/b:c", "a:b()", "..a:b", "a b:c", "1a:b"])
def test_a_function_has_a_module_and_a_name(function: str) -> None:
    assert metric_function("my_package.metrics:missed") == "my_package.metrics:missed"
    assert "not the place of a function" in problems(f'[[metric]]\nname = "missed"\nfunction = "{function}"\n')


def test_what_else_is_wrong_has_its_line() -> None:
    assert "line 5, [[metric]] 1 function: missing." in problems('[[metric]]\nname = "missed"\n')
    twice = '[[metric]]\nname = "missed"\nfunction = "a:b"\n' * 2
    assert "duplicate name" in problems(twice)
    assert "a section of its own for each metric, headed [[metric]]" in problems('[metric]\nname = "missed"\n')
    assert "at most 1" in problems('[[metric]]\nname = "missed"\nfunction = "a:b"\ntolerance = 2.0\n')


def test_a_draft_with_metrics_is_read_back_and_its_errors_name_the_option(tmp_path: Path) -> None:
    drafts = (MetricDraft(name="a", function="own:a"), MetricDraft(name="b", function="own:b", inputs=("x", "y")))
    settings = {**BUNDLE, "metric": [draft.settings for draft in drafts]}
    (tmp_path / "monitor.toml").write_text(render_config(settings), "utf-8")
    for found in (check_settings(settings, tmp_path).metric, load_config(tmp_path / "monitor.toml").metric):
        assert [(one.name, one.function, one.inputs) for one in found] == [
            ("a", "own:a", ()),
            ("b", "own:b", ("x", "y")),
        ]
    assert "# [[metric]]" in render_config(BUNDLE)
    with pytest.raises(InvalidSettings, match="--metric: not the place of a function"):
        check_settings({**BUNDLE, "metric": [{"name": "a", "function": "own"}]}, tmp_path)
