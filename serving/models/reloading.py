"""Replaces the list of models of a running server: by a client's request, a changed config file or SIGHUP."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, final

from monitoring.errors import BadInput, CannotRun
from serving.models.model_config import PLATFORM, check_config, sources_of
from serving.status import Code, Failure, InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from serving.models.list_in_force import ListInForce, ListStore
    from serving.models.model_list import ModelList
    from serving.models.version_folders import ModelSource
    from serving.models.versions import Models

    Reload = Callable[[Any], Awaitable[None]]
    """Takes a ``ModelServerConfig``; raises `Failure`."""


class Switch(Protocol):
    """Loads or unloads a model of the list in force."""

    def __call__(self, name: str, *, is_wanted: bool) -> Awaitable[None]:
        """Load or unload it; errors as of `Reloader.switch`."""


NOT_A_LIST = (
    "Cannot transition to requested config. It is only legal to transition from one ModelConfigList to another."
)
READ_AGAIN = "The list of models has been read again"


@final
class Reloader:
    """Applies new lists of models. Blocks while it loads; thread-safe.

    A list is in force once it is in the store; one that is refused never gets there.

    Args:
        may_label_unavailable: Whether a new label may name a version that is not available yet.
        on_list: Called with every new list before it is served; refuses it by BadInput or CannotRun.
    """

    def __init__(
        self,
        models: Models,
        model_list: ModelList,
        *,
        store: ListStore,
        report: Callable[[str], None],
        may_label_unavailable: bool = False,
        on_list: Callable[[Sequence[ModelSource]], None] = lambda _: None,
    ) -> None:
        self._models = models
        self._model_list = model_list
        self._store = store
        self._report = report
        self._may_label_unavailable = may_label_unavailable
        self._on_list = on_list
        self._serving = threading.Lock()
        self._last_error = ""

    @property
    def is_current(self) -> bool:
        """Whether this process serves the list in force."""
        return self._model_list.in_force.generation == self._store.newest().generation

    def poll(self) -> None:
        """Poll the disk for versions; errors are reported."""
        try:
            self._models.poll()
        except (OSError, BadInput, CannotRun) as error:
            self._report_once(
                f"The disk cannot be polled for models; the loaded versions go on answering: {_said(error)}"
            )
        else:
            self._last_error = ""

    def apply(self, config: Any) -> None:
        """Serve exactly the models of a ``tensorflow.serving.ModelServerConfig`` from now on, in all processes.

        An invalid list changes nothing. A valid list of which some models cannot be loaded is in force nevertheless.
        """
        if config.WhichOneof("config") != "model_config_list":
            raise Failure(Code.FAILED_PRECONDITION, NOT_A_LIST)
        names = {source.name for source in self._listed(self._store.newest())}
        for model_config in config.model_config_list.config:
            if model_config.name in names and model_config.model_platform not in ("", PLATFORM):
                raise InvalidArgument(
                    f"Illegal to change a model's platform. For model {model_config.name} platform was {PLATFORM} and "
                    f"new platform requested is {model_config.model_platform}"
                )
        problems = tuple(check_config(config))
        if problems:
            raise InvalidArgument("; ".join(map(str, problems)))
        with self._store.exclusive():
            self._change(_replaced(self._store.newest(), sources_of(config)))

    def switch(self, name: str, *, is_wanted: bool) -> None:
        """Load or unload a model of the list in force, in all processes, until another list replaces it.

        A model that is loaded already is looked for on the disk again.

        Raises:
            Failure: NOT_FOUND: the list has no such model. UNKNOWN: it has no available version now.
        """
        with self._store.exclusive():
            newest = self._store.newest()
            if not self._models.knows(name) and name not in {source.name for source in self._listed(newest)}:
                raise Failure(Code.NOT_FOUND, f"The list of models has no model {name}.")
            others = tuple(other for other in newest.unloaded if other != name)
            self._change(replace(newest, unloaded=others if is_wanted else (*others, name), switched=name))

    def reread(self) -> None:
        """After SIGHUP: read the list again from its source, and serve it, in all processes; errors are reported."""
        with self._store.exclusive():
            self._answer_hangup()

    def reread_if_changed(self) -> None:
        """As `reread`, but only if the list has changed since it was last read by any process."""
        if not self._model_list.is_live and self._read_if_changed() is not None:
            with self._store.exclusive():
                changed = self._read_if_changed()  # another process may have been first
                if changed is not None:
                    self._change_to_read(changed)

    def follow(self) -> None:
        """Serve the newest list, which another process has put in force."""
        before, newest = self._model_list.in_force, self._store.newest()
        if newest.generation <= before.generation:
            return
        self._accept(newest)
        failure = self._serve(newest)
        if (newest.hangups, newest.last_read) != (before.hangups, before.last_read):
            self._report_read(failure)
        elif failure is not None:
            raise failure

    def catch_up(self) -> None:
        """Before this process serves: take the newest list, answer a SIGHUP that nobody has, have the others follow.

        Within the store's `exclusive` only. The others lag only if the process that changed the list died meanwhile.
        """
        self.follow()
        self._answer_hangup()
        for failure in self._store.update_others()():
            self._report(failure.message)

    def _answer_hangup(self) -> None:
        newest, hangups = self._store.newest(), self._store.hangups()
        if newest.hangups == hangups:
            return
        newest = replace(newest, hangups=hangups)
        if self._model_list.is_live:
            self._change_to_read(newest)
            return
        self._last_error = ""
        sources = self._read()
        if sources is None:
            self._store.put(newest)
        else:
            self._change_to_read(replace(newest, last_read=sources))

    def _read_if_changed(self) -> ListInForce | None:
        """The list in force with what its source says now; None if that is what it said when it was last read."""
        newest, sources = self._store.newest(), self._read()
        return None if sources is None or sources == newest.last_read else replace(newest, last_read=sources)

    def _read(self) -> tuple[ModelSource, ...] | None:
        """The source's list; None if it cannot be read, which is reported."""
        try:
            sources = self._model_list.read()
        except (OSError, BadInput, CannotRun) as error:
            self._report_once(f"The list of models cannot be read; the loaded versions go on answering: {_said(error)}")
            return None
        self._last_error = ""
        return sources

    def _change_to_read(self, newest: ListInForce) -> None:
        """Put the list that was last read in force; a failure is reported. It counts as read even if it is refused."""
        self._store.put(newest)
        try:
            self._change(_replaced(newest, newest.last_read))
        except Failure as failure:
            self._report_read(failure)
        else:
            self._report_read(None)

    def _change(self, changed: ListInForce) -> None:
        """Put a list in force in all processes, unless it is refused; the lists of others come first."""
        self._accept(changed)
        changed = replace(changed, generation=self._store.newest().generation + 1)
        self._store.put(changed)
        wait_for_others = self._store.update_others()
        failure = self._serve(changed)
        failures = wait_for_others()
        if self._model_list.in_force != changed:  # without the labels that are refused
            self._store.put(self._model_list.in_force)
        for error in (failure, *failures):
            if error is not None:
                raise error

    def _listed(self, in_force: ListInForce) -> tuple[ModelSource, ...]:
        return self._model_list.read() if in_force.sources is None else in_force.sources

    def _accept(self, in_force: ListInForce) -> None:
        """Raise the `Failure` of a list that cannot be served at all."""
        try:
            self._on_list(self._listed(in_force))
        except BadInput as error:
            raise InvalidArgument(str(error)) from error
        except CannotRun as error:
            raise Failure(Code.FAILED_PRECONDITION, str(error)) from error

    def _report_read(self, failure: Failure | None) -> None:
        self._report(f"{READ_AGAIN}." if failure is None else f"{READ_AGAIN}, with an error: {failure.message}")

    def _report_once(self, text: str) -> None:
        """Report an error, once for as long as it stays the same: polls come every second."""
        if text != self._last_error:
            self._last_error = text
            self._report(text)

    def _serve(self, in_force: ListInForce) -> Failure | None:
        """Serve a list, which stays in force although a model or label of it fails; the first failure is returned."""
        with self._serving:
            if in_force.generation <= self._model_list.in_force.generation:
                return None  # a newer one has come meanwhile
            before = {name: dict(self._models.labels(name)) for name in self._models.names}
            self._model_list.put(in_force)
            try:
                self._models.poll()
                sources = self._model_list()
                refused = tuple(self._refused_labels(sources, before))
                if refused and in_force.sources is not None:
                    with_old_labels = tuple(self._without(source, refused, before) for source in in_force.sources)
                    self._model_list.put(replace(in_force, sources=with_old_labels))
                    self._models.poll()
            except (OSError, BadInput, CannotRun) as error:
                return Failure(Code.INTERNAL, f"The disk cannot be polled for models: {_said(error)}")
        if in_force.switched:
            return self._failure_of([source for source in sources if source.name == in_force.switched], ())
        return None if in_force.sources is None else self._failure_of(sources, refused)

    def _failure_of(self, sources: Sequence[ModelSource], refused: Sequence[tuple[str, str, int]]) -> Failure | None:
        missing = [source for source in sources if not source.is_unloaded and not self._models.available(source.name)]
        failed = [self._reason(source) for source in missing]
        if failed:
            return Failure(Code.UNKNOWN, f"{len(failed)} model(s) did not become available: {{{', '.join(failed)}}}")
        if refused:
            name, label, number = refused[0]
            return Failure(
                Code.FAILED_PRECONDITION,
                f"Request to assign label {label} to version {number} of model {name}, which is not currently "
                "available for inference",
            )
        return None

    def _refused_labels(
        self, sources: Sequence[ModelSource], before: dict[str, dict[str, int]]
    ) -> Iterator[tuple[str, str, int]]:
        """Labels whose version is not available, but for new ones where the settings allow that."""
        for source in sources:
            available = self._models.available(source.name)
            for label, number in source.labels.items():
                is_new = label not in before.get(source.name, {})
                if number not in available and not (is_new and self._may_label_unavailable):
                    yield source.name, label, number

    @staticmethod
    def _without(
        source: ModelSource, refused: Sequence[tuple[str, str, int]], before: dict[str, dict[str, int]]
    ) -> ModelSource:
        """The source with each refused label on the version that it named before, or without the label."""
        removed = {label for name, label, _ in refused if name == source.name}
        labels_before = before.get(source.name, {})
        restored = {label: labels_before[label] for label in removed & labels_before.keys()}
        labels = {label: number for label, number in source.labels.items() if label not in removed}
        return replace(source, labels=labels | restored)

    def _reason(self, source: ModelSource) -> str:
        """Why a model has no available version."""
        statuses = self._models.statuses(source.name) if self._models.has_versions(source.name) else ()
        failed = [status for status in statuses if status.message]
        if not failed:
            return f"{{name: {source.name}}} has no version in {source.place}"
        return f"{{name: {source.name} version: {failed[0].number}}} due to error: {failed[0].message}"


def _replaced(newest: ListInForce, sources: tuple[ModelSource, ...] | None) -> ListInForce:
    """Another list in the place of the newest; what clients unloaded of that is forgotten."""
    return replace(newest, sources=sources, unloaded=(), switched="")


def _said(error: Exception) -> str:
    """An error, with what to do where a confined server was denied a folder that is not one of its start."""
    if not isinstance(error, PermissionError):
        return str(error)
    return f"{error}. A confined server reads folders of its start and below --model-root: restart it, or see --confine"
