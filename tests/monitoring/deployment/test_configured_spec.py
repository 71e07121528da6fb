"""What a config says of a model's losses, over what its baseline says: costs, and the predicted quantile."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.baseline.spec import BaselineSpec
from monitoring.config import MonitorConfig, settings_digest
from monitoring.config.loading import parse_config
from monitoring.deployment.configured_spec import configured
from monitoring.errors import BadInput
from monitoring.tasks.regression import Regression

NUMBER = BaselineSpec(classes=(), features=(), other_task=Regression(bound=3.0))


def config(model: str = "", more: str = "") -> MonitorConfig:
    found = parse_config(f'[model]\nbundle = "m"\n{model}\n[traffic]\npath = "t"\n{more}', Path("/srv"))
    assert isinstance(found, MonitorConfig), found
    return found


def test_a_quantile_is_that_of_the_config() -> None:
    task = configured(config("quantile = 0.9"), NUMBER).task
    assert isinstance(task, Regression)
    assert (task.quantile, task.bound, task.metrics) == (0.9, 3.0, ("pinball_loss",))
    assert configured(config(), NUMBER) is NUMBER
    with pytest.raises(BadInput, match=r"Got quantile = 0\.9, and a model that does not"):
        configured(config("quantile = 0.9"), BaselineSpec(classes=("no", "yes"), features=()))


def test_costs_are_those_of_the_config() -> None:
    classes = BaselineSpec(classes=("no", "yes"), features=())
    assert configured(config(more="[cost]\nmatrix = [[0.0, 1.0], [2.0, 0.0]]\n"), classes).costs == ((0, 1), (2, 0))


def test_settings_of_losses_count_only_where_they_are_used() -> None:
    metric = '[[metric]]\nname = "missed"\nfunction = "own:missed"\n'
    others = [
        config("quantile = 0.9"),
        config("threshold = 0.3"),
        config(more=metric),
        config(more=f"{metric}tolerance = 0.1\n"),
        config(more=metric.replace("own:", "other:")),
    ]
    assert len({settings_digest(one) for one in [config(), *others]}) == 6
    assert settings_digest(config("threshold = 0.5")) == settings_digest(config())
