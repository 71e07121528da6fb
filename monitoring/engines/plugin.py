"""An engine of another distribution."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from monitoring.engines.engine import Engine, Work
from monitoring.engines.partial import Partial
from monitoring.engines.recipe import Recipe
from monitoring.errors import CannotRun, PitfallsError
from monitoring.plugins import ENGINES, load_plugin


class EngineFactory(Protocol):
    """What an entry point of the group ``pitfalls.engines`` names: what makes an `Engine`, such as its class."""

    def __call__(self, options: Mapping[str, Any], meanwhile: Callable[[], None], /) -> Engine:
        """Make an engine, once a run.

        Args:
            options: the table `options` of the section `[engine]`.
            meanwhile: renews the run's lease, of two minutes: called while tasks are waited for.
        """


class PluginEngine:
    """An engine of another distribution, whose errors end the run with its name. An `Engine`."""

    def __init__(self, name: str, options: Mapping[str, Any], meanwhile: Callable[[], None]) -> None:
        """Raises BadInput if no such plug-in is installed, CannotRun if it cannot be imported or made."""
        self._name = name
        factory: EngineFactory = load_plugin(ENGINES, name)
        try:
            self._engine = factory(options, meanwhile)
        except Exception as error:
            raise self._failed(error) from error

    def gather(self, recipe: Recipe, work: Iterable[Work]) -> Iterator[Partial]:
        """See `Engine`. Raises CannotRun, with the plug-in's name, whatever it raises."""
        try:
            yield from self._engine.gather(recipe, work)
        except Exception as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> PitfallsError:
        if isinstance(error, PitfallsError):
            return error
        return CannotRun(
            f"The engine {self._name} failed.",
            got=f"{type(error).__name__}: {error}",
            expected="a partial for each window of each task",
            fix="Nothing was judged. Correct its options, or ask whoever wrote the plug-in.",
        )
