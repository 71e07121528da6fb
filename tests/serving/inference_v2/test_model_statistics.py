"""Statistics of versions, of this process or of several."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from serving.inference_v2.model_statistics import ModelStatistics
from serving.status import Failure

if TYPE_CHECKING:
    from serving.models.versions import Models


def test_what_others_have_is_added_to_what_is_asked_for(models: Models) -> None:
    asked: list[list[str]] = []

    async def merge(own: list[dict[str, Any]]) -> list[dict[str, Any]]:
        asked.append([one["name"] for one in own])
        return [one | {"inference_count": 7} for one in own]

    described = asyncio.run(ModelStatistics(models, merge).describe("half_plus_two", 123))
    assert [one["inference_count"] for one in described["model_stats"]] == [7]
    assert asked == [["half_plus_two"]]
    alone = asyncio.run(ModelStatistics(models).describe("", None))
    assert {one["name"] for one in alone["model_stats"]} == set(models.names)
    with pytest.raises(Failure):
        asyncio.run(ModelStatistics(models, merge).describe("nobody", None))
