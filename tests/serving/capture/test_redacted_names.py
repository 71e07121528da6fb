"""Names to redact that nothing has are refused at the start, and reported of what is loaded later."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monitoring.errors import BadInput
from monitoring.traffic.log.redaction import Redaction
from serving.capture.redacted_names import RedactedNames, example_features, tensor_and_feature_names

if TYPE_CHECKING:
    from serving.models.runner import Runner
    from serving.models.versions import Models


def runner_of(models: Models, name: str) -> Runner:
    with models.lease(name) as served:
        return served.runner


def checked(models: Models, *names: str, loaded: tuple[str, ...] = ("half_plus_two", "strs")) -> list[str]:
    """What is reported of these names when a server of those models has started."""
    said: list[str] = []
    redacted = RedactedNames(Redaction(dropped=frozenset(names)), report=said.append)
    for model in loaded:
        redacted.note(Path("models", model, "1"), runner_of(models, model))
    redacted.check(is_everything=True)
    return said


def test_the_graph_says_which_features_it_reads(models: Models) -> None:
    assert "x" in example_features(runner_of(models, "half_plus_two").graph_definition)
    assert example_features(runner_of(models, "dense4").graph_definition) == set()


@pytest.mark.parametrize("name", ["x", "s", "inputs.email", "y", "caller_peer", "caller_principal"])
def test_tensors_features_and_what_may_be_within_examples_are_found(models: Models, name: str) -> None:
    known = set(tensor_and_feature_names(runner_of(models, "half_plus_two")))
    assert ("x" in known, "emial" in known) == (True, False)
    assert checked(models, name) == []


@pytest.mark.parametrize("name", ["emial", "X", "x.email", "nobody.email", "inputsx"])
def test_a_mistyped_name_is_refused(models: Models, name: str) -> None:
    with pytest.raises(BadInput) as caught:
        checked(models, "x", name)
    assert caught.value.got == name


def test_where_a_model_could_not_be_loaded_it_is_reported_only(models: Models) -> None:
    said: list[str] = []
    redacted = RedactedNames(Redaction(hashed=frozenset({"user"}), key=b"k" * 16), report=said.append)
    redacted.note(Path("models/strs/1"), runner_of(models, "strs"))
    redacted.check(is_everything=False)
    assert said == ["No loaded model has an input, output or feature 'user', which is to be redacted."]


def test_a_later_version_without_it_is_reported(models: Models) -> None:
    said: list[str] = []
    redacted = RedactedNames(Redaction(dropped=frozenset({"x"})), report=said.append)
    redacted.note(Path("models/a/1"), runner_of(models, "half_plus_two"))
    redacted.check(is_everything=True)
    redacted.note(Path("models/a/2"), runner_of(models, "half_plus_two"))
    redacted.note(Path("models/b/1"), runner_of(models, "strs"))
    assert said == [], "the second has it too, and the other model never had it"
    redacted.note(Path("models/a/3"), runner_of(models, "strs"))
    assert len(said) == 1
    assert said[0].startswith("models/a/3 has no input, output or feature 'x'")


def test_nothing_to_redact_is_nothing_to_look_for(models: Models) -> None:
    redacted = RedactedNames(None, report=pytest.fail)
    redacted.note(Path("models/a/1"), runner_of(models, "strs"))
    redacted.check(is_everything=True)
