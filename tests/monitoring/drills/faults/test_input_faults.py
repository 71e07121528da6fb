"""Faults of inputs: each changes its own column as it says, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from monitoring.baseline.spec import FeatureSpec
from monitoring.drills.faults.fault import FaultScope, with_column
from monitoring.drills.faults.input_faults import INPUT_FAULTS, as_numbers, categories, either, most_frequent, numbers
from monitoring.tasks.task import WatchedOutput
from tests.small_deployment import SPEC

FAULTS = {fault.name: fault for fault in INPUT_FAULTS}


def planted(name: str, target: str, scope: FaultScope, seed: int = 0) -> pa.Table:
    rows = scope.sample.slice(0, 600)
    return FAULTS[name].plant(rows, target, scope, np.random.default_rng(seed))


def temp(rows: pa.Table) -> np.ndarray:
    return as_numbers(rows["temp"])


@pytest.mark.parametrize("name", list(FAULTS))
def test_a_fault_changes_one_input_and_depends_on_its_seed_alone(name: str, scope: FaultScope) -> None:
    for target in FAULTS[name].targets(scope):
        rows = planted(name, target, scope)
        before = scope.sample.slice(0, 600)
        changed = [one for one in before.column_names if not rows[one].equals(before[one])]
        assert changed == [target]
        assert planted(name, target, scope).equals(rows)


def test_what_each_does_to_a_number(scope: FaultScope) -> None:
    before, deviation = temp(scope.sample.slice(0, 600)), temp(scope.sample).std()
    assert np.allclose(temp(planted("unit", "temp", scope)), 100 * before)
    assert np.allclose(temp(planted("shift", "temp", scope)), before + deviation)
    noise = temp(planted("noise", "temp", scope)) - before
    assert noise.std() == pytest.approx(deviation, rel=0.1)
    assert abs(noise.mean()) < 0.2 * deviation
    assert set(temp(planted("stuck", "temp", scope))) == {np.median(temp(scope.sample))}
    for name, share in (("missing", 0.99), ("missing-some", 0.2)):
        assert np.isnan(temp(planted(name, "temp", scope))).mean() == pytest.approx(share, abs=0.05)


def test_what_each_does_to_a_category(scope: FaultScope) -> None:
    before, often = scope.sample["origin"].to_pylist()[:600], most_frequent(scope.sample["origin"])
    assert set(planted("stuck", "origin", scope)["origin"].to_pylist()) == {often}
    renamed = planted("renamed", "origin", scope)["origin"].to_pylist()
    assert renamed == [f"{often}_2" if one == often else one for one in before]
    assert planted("missing", "origin", scope)["origin"].null_count > 500


def test_inputs_that_show_no_fault_are_left_out(scope: FaultScope) -> None:
    assert (numbers(scope), categories(scope), either(scope)) == (("temp",), ("origin",), ("temp", "origin"))
    rows = scope.sample.num_rows
    constant = replace(scope, sample=with_column(scope.sample, "temp", pa.array(np.full(rows, 7.0))))
    mostly_zero = replace(scope, sample=with_column(scope.sample, "temp", pa.array(np.arange(rows) % 10 == 0)))
    ids = with_column(scope.sample, "origin", pa.array([f"id {place}" for place in range(rows)]))
    assert numbers(constant) == numbers(mostly_zero) == categories(replace(scope, sample=ids)) == ()


def test_a_description_of_a_text_is_planted_in_only_where_no_input_is_its_own(scope: FaultScope) -> None:
    words = FeatureSpec(name="words", kind="number", source="comment")
    sample = scope.sample.append_column("words", pa.array(np.arange(scope.sample.num_rows) + 1.0))
    both = replace(scope, spec=replace(SPEC, features=(*SPEC.features, words)), sample=sample)
    alone = replace(scope, spec=replace(SPEC, features=(words,)), sample=sample)
    assert (numbers(both), numbers(alone)) == (("temp",), ("words",))


def test_what_other_outputs_answer_is_no_input(scope: FaultScope) -> None:
    output = WatchedOutput(name="size", width=1)
    [number] = replace(SPEC, other_outputs=(output,)).of_outputs
    features = (*SPEC.features, FeatureSpec(name=number, kind="number"))
    sample = scope.sample.append_column(number, pa.array(np.arange(scope.sample.num_rows) + 1.0))
    spec = replace(SPEC, features=features, other_outputs=(output,))
    assert numbers(replace(scope, spec=spec, sample=sample)) == ("temp",)


def test_a_code_is_a_category_whatever_type_its_column_has(scope: FaultScope) -> None:
    code = FeatureSpec(name="temp", kind="category", is_code=True)
    sample = with_column(scope.sample, "temp", pa.array(np.arange(scope.sample.num_rows) % 3.0 + 1))
    coded = replace(scope, spec=replace(SPEC, features=(code,)), sample=sample)
    assert categories(coded) == ("temp",)
    rows = FAULTS["renamed"].plant(sample, "temp", coded, np.random.default_rng(0))
    assert set(rows["temp"].to_pylist()) == {"1_2", "2", "3"}


def test_new_values_are_thirty_in_a_hundred_and_there_never_were_any(scope: FaultScope) -> None:
    rows = FAULTS["new-values"].plant(scope.sample, "origin", scope, np.random.default_rng(0))
    known, words = set(scope.sample["origin"].to_pylist()), rows["origin"].to_pylist()
    assert np.mean([word not in known for word in words]) == pytest.approx(0.3, abs=0.05)


def test_a_number_becomes_text_with_a_comma(scope: FaultScope) -> None:
    some = with_column(scope.sample.slice(0, 3), "temp", pa.array([1.5, None, 20.25]))
    rows = FAULTS["type"].plant(some, "temp", scope, np.random.default_rng(0))
    assert rows["temp"].to_pylist() == ["1,500", None, "20,250"]
