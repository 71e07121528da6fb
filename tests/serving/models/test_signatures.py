"""Signatures as a SavedModel has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serving.models.runner import Runner

if TYPE_CHECKING:
    from pathlib import Path


def test_a_signature_says_what_it_takes(models_folder: Path) -> None:
    runner = Runner(models_folder / "named" / "1")
    signature = runner.signatures["serving_default"]
    assert list(signature.inputs) == ["feat", "ints", "name"]
    assert signature.inputs["feat"].shape == (-1, 2)
    assert signature.inputs["name"].element.name == "string"
    assert signature.is_batchable
    assert not runner.signatures["scalar_out"].is_batchable, "a sum over the batch mixes rows"
    assert "__saved_model_init_op" not in runner.signatures
    assert "__saved_model_init_op" in runner.signature_definitions
    runner.close()
