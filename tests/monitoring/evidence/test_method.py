"""The method as data: the same windows give the same evidence as long as it has the same number and constants."""

from __future__ import annotations

import ast
import hashlib
import importlib
import json
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from monitoring.evidence import autocorrelation, betting, calibration, conformal, sampling_variance, seasonality
from monitoring.evidence.autocorrelation import level_ar1
from monitoring.evidence.conformal import ConformalTest, WatchState
from monitoring.evidence.method import METHOD, method

#: SHA-256 of the constants as JSON.
DIGEST = "0b925388cca7afccdc3e73427ee06af51196f2b6ca6335879a7e2be162e5055c"


def test_the_same_windows_give_the_same_evidence_as_long_as_the_method_has_its_number() -> None:
    # If this fails and no constant of `method()` was changed, raise METHOD: old evidence must not be continued.
    days = np.arange(40)
    baseline = 0.2 + 0.02 * np.sin(days * days / 90.0) + 0.01 * np.cos(7.0 * days)
    ar1 = level_ar1({"error": baseline})["error"]
    test = ConformalTest.fit(baseline, tolerance=0.002, ar1=ar1)
    state = WatchState.initial(len(test.etas))
    for day in range(12):
        state = test.step(state, 0.21 + 0.004 * day)
    assert METHOD == 11
    assert (round(ar1, 9), round(state.log_evidence, 9)) == (0.752376852, 7.843154426)


def test_the_digest_of_the_method_is_that_of_monitors_that_run_already() -> None:
    # It changes with a constant, and evidence starts anew then; a renamed constant must not change it.
    text = json.dumps(method(), sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest() == DIGEST


def test_the_keys_are_those_of_monitors_that_run_already() -> None:
    names = {"method", "steepness", "of few", "yardstick", "memory", "learning", "chance", "cycle", "recovery"}
    names |= {"fixed reference", "calibration"}
    assert set(method()) == names


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        (autocorrelation, "MAX_LAGS", 8),
        (betting, "MAX_BOUNDARY", 0.7),
        (conformal, "ETAS", (0.8, 1.2, 2.0)),
        (conformal, "FIXED_ETAS", (0.5, 2.0)),
        (calibration, "SPENT", 0.9),
        (sampling_variance, "ROWS_QUANTILE", 0.2),
        (seasonality, "MIN_GAIN", 1.2),
    ],
)
def test_another_constant_is_another_method(
    module: object, name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = method()
    monkeypatch.setattr(module, name, value)
    assert method() != before


ROW = re.compile(r"^\| `([a-z_.]+\.[A-Z][A-Z0-9_]*)` \| ([^|]+) \| [^|]+ \|$", re.MULTILINE)
NAMED = re.compile(r"`(?:[a-z_.]+\.)?([A-Z][A-Z0-9_]{3,})`")

#: Constants of how scores are stored, shown or counted, on which no evidence depends.
APART = {
    "evidence.simulation": {"BATCH", "MAX_FITTED"},
    "evidence.simulation_cache": {"MAX_RESULTS"},
    "watches.descriptions": {"LONGEST", "LONGEST_MESSAGE"},
    "watches.label_delays": {"EDGES"},
    "watches.scoring": {"LEFT_TO_RIGHT_COLUMNS", "EXACT_ROWS"},
}

#: Named in the text and defined elsewhere.
ELSEWHERE = {"SCORE_ONE"}


@pytest.fixture(scope="module")
def page(pytestconfig: pytest.Config) -> str:
    return (pytestconfig.rootpath / "docs/reference/constants.md").read_text("utf-8")


@pytest.fixture(scope="module")
def texts(pytestconfig: pytest.Config) -> str:
    pages = ("method.md", "concepts/scores.md")
    return "".join((pytestconfig.rootpath / "docs" / name).read_text("utf-8") for name in pages)


def numbers(text: str) -> tuple[float, ...]:
    return tuple(float(Fraction(part)) if "/" in part else float(part) for part in text.split(", "))


def defined(module: Path) -> set[str]:
    """Names of the public numeric constants that a file assigns."""
    names = set()
    for node in ast.parse(module.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            numeric = all(isinstance(part, ast.Constant | ast.BinOp) for part in parts)
            text = any(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in parts)
            if name.isupper() and not name.startswith("_") and numeric and not text:
                names.add(name)
    return names


def test_every_constant_has_the_value_of_the_code(page: str) -> None:
    rows = ROW.findall(page)
    assert len(rows) > 50
    for dotted, text in rows:
        module, _, name = dotted.rpartition(".")
        value = getattr(importlib.import_module(f"monitoring.{module}"), name)
        assert numbers(text.strip()) == (value if isinstance(value, tuple) else (value,)), dotted


@pytest.mark.parametrize("room", ["evidence", "watches"])
def test_every_constant_of_the_rooms_is_in_the_table(page: str, room: str, pytestconfig: pytest.Config) -> None:
    documented = {dotted for dotted, _ in ROW.findall(page)}
    for file in sorted((pytestconfig.rootpath / "monitoring" / room).glob("*.py")):
        module = f"{room}.{file.stem}"
        missing = {f"{module}.{name}" for name in defined(file) - APART.get(module, set())} - documented
        assert not missing


def test_the_texts_name_no_constant_that_does_not_exist(page: str, texts: str) -> None:
    known = {dotted.rpartition(".")[2] for dotted, _ in ROW.findall(page)} | ELSEWHERE
    assert set(NAMED.findall(texts)) <= known
