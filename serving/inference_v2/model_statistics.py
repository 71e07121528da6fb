"""The statistics of versions, of this process or of all that serve at its addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from serving.inference_v2.descriptions import describe_statistics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from serving.metrics.merge import Statistics
    from serving.models.versions import Models

    MergeStatistics = Callable[[Statistics], Awaitable[Statistics]]
    """Takes a process's own statistics of some versions; gives the sum over all processes."""


@final
class ModelStatistics:
    """Tells how often the versions of models were asked, and how long it took.

    Args:
        merge: Adds up several processes; None for a single one.
    """

    def __init__(self, models: Models, merge: MergeStatistics | None = None) -> None:
        self._models = models
        self._merge = merge

    async def describe(self, name: str, number: int | None) -> dict[str, Any]:
        """The statistics of one version, of a model, or of all; arguments and errors as of `describe_statistics`."""
        statistics = describe_statistics(self._models, name, number)
        return statistics if self._merge is None else {"model_stats": await self._merge(statistics["model_stats"])}
