"""Another list of models while serving: from a client, from the config file, or from whoever sends SIGHUP."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, final

from monitoring.errors import BadInput, CannotRun
from serving.models.model_config import check_config, sources_of
from serving.status import Code, Failure, invalid

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from serving.models.model_list import ModelList
    from serving.models.version_folders import ModelSource
    from serving.models.versions import Models

    Reload = Callable[[Any], Awaitable[None]]
    """Takes a ``ModelServerConfig``; raises `Failure`."""


@final
class Reloader:
    """Brings models in line with a new list, and says whether that succeeded. Blocks while it loads; thread-safe.

    ``report`` is told, in one sentence, what a list that nobody waits for has led to; ``on_reread`` is called when the
    list comes from where it first came from again, and what a client has sent is over. ``on_list`` is given every new
    list before it is served, and may refuse it with BadInput or CannotRun.
    """

    def __init__(
        self,
        models: Models,
        catalogue: ModelList,
        *,
        report: Callable[[str], None],
        may_label_unavailable: bool = False,
        on_reread: Callable[[], None] = lambda: None,
        on_list: Callable[[Sequence[ModelSource]], None] = lambda _: None,
    ) -> None:
        self._models = models
        self._catalogue = catalogue
        self._report = report
        self._may_label_unavailable = may_label_unavailable
        self._one_at_a_time = threading.Lock()
        self._last_read = catalogue()
        self._on_reread = on_reread
        self._on_list = on_list
        self._complaint = ""

    def look(self) -> None:
        """Look for versions; what goes wrong is reported."""
        try:
            self._models.poll()
        except (OSError, BadInput) as error:
            self._complain(f"The models cannot be looked for; what is loaded goes on answering: {error}")
        else:
            self._complaint = ""

    def apply(self, config: Any) -> None:
        """Serve exactly what a ``tensorflow.serving.ModelServerConfig`` lists, from now on.

        A list that is wrong in itself changes nothing. One whose models cannot all be loaded is in force all the same,
        with those that can.

        Raises:
            Failure: INVALID_ARGUMENT for the list; UNKNOWN for a model without any version that answers;
                FAILED_PRECONDITION for a label on a version that does not.
        """
        problems = tuple(check_config(config))
        if problems:
            raise invalid("; ".join(map(str, problems)))
        self._serve(sources_of(config))

    def reread(self) -> None:
        """Read the list anew from where it first came from, and serve it; what goes wrong is reported."""
        self._read(is_asked=True)

    def reread_if_changed(self) -> None:
        """The same, unless the list is as it was when it was last read."""
        self._read(is_asked=False)

    def _read(self, *, is_asked: bool) -> None:
        if self._catalogue.is_live:
            self._catalogue.restore()
            self.look()
            return
        try:
            sources = self._catalogue.reread()
        except (OSError, BadInput) as error:
            if is_asked:
                self._complaint = ""
            self._complain(f"The list of models cannot be read; what is loaded goes on answering: {error}")
            return
        self._complaint = ""
        if sources == self._last_read and not is_asked:
            return
        self._last_read = sources
        self._on_reread()
        try:
            self._serve(sources)
        except Failure as failure:
            self._report(f"The list of models has been read again, but: {failure.message}")
        else:
            self._report("The list of models has been read again.")

    def _complain(self, text: str) -> None:
        """Report what is wrong, once for as long as it stays the same: it is looked at every second."""
        if text != self._complaint:
            self._complaint = text
            self._report(text)

    def _serve(self, sources: Sequence[ModelSource]) -> None:
        with self._one_at_a_time:
            try:
                self._on_list(sources)
            except BadInput as error:
                raise invalid(str(error)) from error
            except CannotRun as error:
                raise Failure(Code.FAILED_PRECONDITION, str(error)) from error
            before = {name: dict(self._models.labels(name)) for name in self._models.names}
            self._catalogue.replace(sources)
            self._models.poll()
            refused = tuple(self._refused_labels(sources, before))
            if refused:
                self._catalogue.replace([self._without(one, refused, before) for one in sources])
                self._models.poll()
        failed = [self._why(one) for one in sources if not self._models.available(one.name)]
        if failed:
            raise Failure(Code.UNKNOWN, f"{len(failed)} model(s) did not become available: {{{', '.join(failed)}}}")
        if refused:
            name, label, number = refused[0]
            raise Failure(
                Code.FAILED_PRECONDITION,
                f"Request to assign label {label} to version {number} of model {name}, which is not currently "
                "available for inference",
            )

    def _refused_labels(
        self, sources: Sequence[ModelSource], before: dict[str, dict[str, int]]
    ) -> Iterator[tuple[str, str, int]]:
        """Labels whose version does not answer: a new one may be allowed to wait for it, a known one may not."""
        for one in sources:
            answering = self._models.available(one.name)
            for label, number in one.labels.items():
                is_new = label not in before.get(one.name, {})
                if number not in answering and not (is_new and self._may_label_unavailable):
                    yield one.name, label, number

    @staticmethod
    def _without(
        source: ModelSource, refused: Sequence[tuple[str, str, int]], before: dict[str, dict[str, int]]
    ) -> ModelSource:
        """The source with each refused label where it was, or without it."""
        gone = {label for name, label, _ in refused if name == source.name}
        known = before.get(source.name, {})
        stays = {label: known[label] for label in gone & known.keys()}
        kept = {label: number for label, number in source.labels.items() if label not in gone}
        return replace(source, labels=kept | stays)

    def _why(self, source: ModelSource) -> str:
        """What is wrong with a model of which no version answers."""
        known = self._models.statuses(source.name) if self._models.knows_versions(source.name) else ()
        broken = [one for one in known if one.message]
        if not broken:
            return f"{{name: {source.name}}} has no version in {source.base}"
        return f"{{name: {source.name} version: {broken[0].number}}} due to error: {broken[0].message}"
