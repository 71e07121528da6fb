"""Replaces the list of models of a running server: by a client's request, a changed config file or SIGHUP."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, final

from monitoring.errors import BadInput, CannotRun
from serving.models.model_config import check_config, sources_of
from serving.status import Code, Failure, InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from serving.models.model_list import ModelList
    from serving.models.version_folders import ModelSource
    from serving.models.versions import Models

    Reload = Callable[[Any], Awaitable[None]]
    """Takes a ``ModelServerConfig``; raises `Failure`."""


@final
class Reloader:
    """Applies new lists of models. Blocks while it loads; thread-safe.

    Args:
        models: The models of the server.
        model_list: The list in force.
        report: Called with a sentence for each result that no client waits for.
        may_label_unavailable: Whether a new label may name a version that is not available yet.
        on_reread: Called when the list of a file replaces one that a client has sent.
        on_list: Called with every new list before it is served; refuses it by BadInput or CannotRun.
    """

    def __init__(
        self,
        models: Models,
        model_list: ModelList,
        *,
        report: Callable[[str], None],
        may_label_unavailable: bool = False,
        on_reread: Callable[[], None] = lambda: None,
        on_list: Callable[[Sequence[ModelSource]], None] = lambda _: None,
    ) -> None:
        self._models = models
        self._model_list = model_list
        self._report = report
        self._may_label_unavailable = may_label_unavailable
        self._serving = threading.Lock()
        self._last_read = model_list()
        self._on_reread = on_reread
        self._on_list = on_list
        self._last_error = ""

    def poll(self) -> None:
        """Poll the disk for versions; errors are reported."""
        try:
            self._models.poll()
        except (OSError, BadInput) as error:
            self._report_once(f"The disk cannot be polled for models; the loaded versions go on answering: {error}")
        else:
            self._last_error = ""

    def apply(self, config: Any) -> None:
        """Serve exactly the models of a ``tensorflow.serving.ModelServerConfig`` from now on.

        An invalid list changes nothing. A valid list of which some models cannot be loaded is in force nevertheless.

        Raises:
            InvalidArgument: INVALID_ARGUMENT for the list; UNKNOWN for a model without an available version;
                FAILED_PRECONDITION for a label on a version that is not available.
        """
        problems = tuple(check_config(config))
        if problems:
            raise InvalidArgument("; ".join(map(str, problems)))
        self._serve(sources_of(config))

    def reread(self) -> None:
        """Read the list again from its source, and serve it; errors are reported."""
        self._read(is_requested=True)

    def reread_if_changed(self) -> None:
        """As `reread`, but only if the list has changed since it was last read."""
        self._read(is_requested=False)

    def _read(self, *, is_requested: bool) -> None:
        if self._model_list.is_live:
            self._model_list.restore()
            self.poll()
            return
        try:
            sources = self._model_list.reread()
        except (OSError, BadInput) as error:
            if is_requested:
                self._last_error = ""
            self._report_once(f"The list of models cannot be read; the loaded versions go on answering: {error}")
            return
        self._last_error = ""
        if sources == self._last_read and not is_requested:
            return
        self._last_read = sources
        self._on_reread()
        try:
            self._serve(sources)
        except Failure as failure:
            self._report(f"The list of models has been read again, with an error: {failure.message}")
        else:
            self._report("The list of models has been read again.")

    def _report_once(self, text: str) -> None:
        """Report an error, once for as long as it stays the same: polls come every second."""
        if text != self._last_error:
            self._last_error = text
            self._report(text)

    def _serve(self, sources: Sequence[ModelSource]) -> None:
        with self._serving:
            try:
                self._on_list(sources)
            except BadInput as error:
                raise InvalidArgument(str(error)) from error
            except CannotRun as error:
                raise Failure(Code.FAILED_PRECONDITION, str(error)) from error
            before = {name: dict(self._models.labels(name)) for name in self._models.names}
            self._model_list.replace(sources)
            self._models.poll()
            refused = tuple(self._refused_labels(sources, before))
            if refused:
                self._model_list.replace([self._without(one, refused, before) for one in sources])
                self._models.poll()
        failed = [self._reason(one) for one in sources if not self._models.available(one.name)]
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
        """Labels whose version is not available, but for new ones where the settings allow that."""
        for one in sources:
            available = self._models.available(one.name)
            for label, number in one.labels.items():
                is_new = label not in before.get(one.name, {})
                if number not in available and not (is_new and self._may_label_unavailable):
                    yield one.name, label, number

    @staticmethod
    def _without(
        source: ModelSource, refused: Sequence[tuple[str, str, int]], before: dict[str, dict[str, int]]
    ) -> ModelSource:
        """The source with each refused label on the version that it named before, or without the label."""
        removed = {label for name, label, _ in refused if name == source.name}
        known = before.get(source.name, {})
        restored = {label: known[label] for label in removed & known.keys()}
        kept = {label: number for label, number in source.labels.items() if label not in removed}
        return replace(source, labels=kept | restored)

    def _reason(self, source: ModelSource) -> str:
        """Why a model has no available version."""
        known = self._models.statuses(source.name) if self._models.has_versions(source.name) else ()
        failed = [one for one in known if one.message]
        if not failed:
            return f"{{name: {source.name}}} has no version in {source.base}"
        return f"{{name: {source.name} version: {failed[0].number}}} due to error: {failed[0].message}"
