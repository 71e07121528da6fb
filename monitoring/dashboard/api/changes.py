"""The changes of the HTTP API beside actions on incidents: backfills, new baselines and labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitoring.actions.perform import perform
from monitoring.asking.ask import labels_root
from monitoring.baseline.folder import load_baseline
from monitoring.baseline.spec import BaselineSpec
from monitoring.config import MonitorConfig
from monitoring.config.files import ConfigFile
from monitoring.dashboard.api.calls import ApiCalls
from monitoring.dashboard.api.change_documents import (
    ActionOutcomeDocument,
    LabelsDocument,
    LabelsRequest,
    NewNormalRequest,
    RangeRequest,
    RunActionRequest,
    UndoRequest,
)
from monitoring.dashboard.labels.door import LabelTarget, LabelWriters, add_labels
from monitoring.dashboard.stores.telling import tell
from monitoring.deployment.places import find_baseline
from monitoring.errors import BadInput
from monitoring.notifications.routes.sending import notify
from monitoring.onboarding.rebaseline import (
    NewBaselineDocument,
    NewNormal,
    OneAtATime,
    UndoneBaselineDocument,
    rebaseline,
    rebaseline_document,
    undo_rebaseline,
    undone_document,
)
from monitoring.runs.backfill import BackfillDocument, BackfillRequest, WindowRange, backfill, backfill_document
from monitoring.runs.run import ExternalServices
from monitoring.store.store import Store
from monitoring.traffic.foreign_logs.cloud_events import append_events
from monitoring.watches.embedding import Embedder


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiChanges:
    """What the API changes of deployments whose configs are known.

    Attributes:
        embedder: Makes the function that embeds tensors; None where there is no framework for it.
    """

    calls: ApiCalls
    stop: Callable[[], bool]
    one_at_a_time: OneAtATime
    embedder: Embedder | None
    writers: LabelWriters

    def backfill(self, store: str, number: int, request: RangeRequest) -> BackfillDocument:
        """Judge the windows of a range, as `monitoring.runs.backfill` does, and tell of it."""
        config, opened = self._config(store, number)
        done = backfill(
            config,
            opened,
            BackfillRequest(
                windows=WindowRange(start=request.start, end=request.end, only=request.only, by=request.by),
                stop=self.stop,
            ),
            services=ExternalServices(notify=notify, embedder=self.embedder),
            clock=self.calls.stores.clock,
        )
        return backfill_document(done)

    def rebaseline(self, store: str, number: int, request: NewNormalRequest) -> NewBaselineDocument:
        """Make windows the new normal, and tell of incidents that it closes. Cost: reading them, and a fit."""
        config, opened = self._config(store, number)
        new_normal = NewNormal(
            start=request.start, end=request.end, since=request.since, reason=request.reason, by=request.by
        )
        path = self._file(store, number).path
        with self.one_at_a_time.change():
            done = rebaseline(path, config, new_normal, clock=self.calls.stores.clock, embedder=self.embedder)
        tell(config, opened, number, self.calls.stores.clock)
        return rebaseline_document(done)

    def undo_rebaseline(self, store: str, number: int, request: UndoRequest) -> UndoneBaselineDocument:
        """Go back to the baseline before the last re-baseline, and tell of incidents that are open again."""
        config, opened = self._config(store, number)
        with self.one_at_a_time.change():
            undone = undo_rebaseline(self._file(store, number).path, by=request.by, clock=self.calls.stores.clock)
        tell(config, opened, number, self.calls.stores.clock)
        return undone_document(undone)

    def add_labels(self, store: str, number: int, request: LabelsRequest) -> LabelsDocument:
        """Add labels to a deployment's traffic log: all of those whose predictions were not erased, or none.

        Who sent how many is kept in the store; a request that failed there may be sent again, as labels count once.
        """
        config, opened = self._config(store, number)
        if labels_root(config) != config.traffic.path:
            raise BadInput(
                "Labels are added to a traffic log of this machine.",
                got=f"{config.traffic.path}, which is none",
                expected="the folder that a server was given with --traffic",
                fix="Write the labels where the table's come from.",
            )
        _check_outputs(load_baseline(find_baseline(config).baseline).spec, request)
        labels = [(each.prediction_id, each.text, each.label_time) for each in request.labels]
        target = LabelTarget(config=config, store=opened, number=number)
        added = add_labels(target, labels, by=request.by, writers=self.writers, clock=self.calls.stores.clock)
        return LabelsDocument(added=added)

    def keep_events(self, name: str, events: list[dict[str, Any]]) -> None:
        """Append CloudEvents to the log of the config of a name, whose traffic is one of KServe."""
        config = next(
            (file.config for file in self.calls.stores.files if file.config and file.config.name == name), None
        )
        traffic = None if config is None else config.traffic
        if traffic is None or traffic.log != "kserve" or not isinstance(traffic.path, Path) or traffic.path.is_file():
            got = "no config of that name" if traffic is None else f"{traffic.path}, of format {traffic.log}"
            raise BadInput(
                "Events are kept for a config whose traffic is a folder of KServe's logger.",
                got=got,
                expected='path = "events" and log = "kserve" in the [traffic] section',
                fix="Check the name in the address, and give the config with --config or --configs.",
            )
        append_events(traffic.path, events, self.calls.stores.clock())

    def run_action(self, store: str, number: int, incident: int, request: RunActionRequest) -> ActionOutcomeDocument:
        """Perform an action of the config, as its button does."""
        config = self._file(store, number).config
        assert config is not None  # noqa: S101 - for the type checker: only files with a config are found
        opened, _ = self.calls.find(store, number)
        self.calls.incident(store, number, incident)
        done, outcome = perform(
            config, opened, (number, incident), request.name, by=request.by, clock=self.calls.stores.clock
        )
        return ActionOutcomeDocument(done=done, outcome=outcome, incident=self.calls.incident(store, number, incident))

    def _config(self, store: str, number: int) -> tuple[MonitorConfig, Store]:
        """The config of a deployment that is the one in use of its name, and its store."""
        config = self._file(store, number).config
        assert config is not None  # noqa: S101 - for the type checker: only files with a config are found
        opened, _ = self.calls.find(store, number)
        if opened.deployments.latest(config.name) != number:
            raise BadInput(
                "This deployment is not in use any more.",
                got=f"{store}/{number}",
                expected=f"{store}/{opened.deployments.latest(config.name)}, which took its place",
                fix="Ask for that one.",
            )
        return config, opened

    def _file(self, store: str, number: int) -> ConfigFile:
        _, summary = self.calls.find(store, number)
        file = self.calls.stores.store(store).file_of(summary.record.called)
        if file is None:
            raise BadInput(
                "The config of this deployment is not known here.",
                got=summary.record.called,
                expected="a deployment whose config was given with --config or --configs",
                fix="Use the command line where the config is.",
            )
        return file


def _check_outputs(spec: BaselineSpec, request: LabelsRequest) -> None:
    """Raises BadInput for a label that is no object where each of several outputs has one, or the other way round."""
    outputs = tuple(spec.task.classes_of_outputs)
    strange = next((label for label in request.labels if isinstance(label.label, dict) != bool(outputs)), None)
    if strange is not None:
        expected = ", ".join(f'"{name}": …' for name in outputs)
        raise BadInput(
            "A label does not fit the model.",
            got=f"{strange.text[:60]} for {strange.prediction_id}",
            expected=f"an object with the label of each output that is known: {{{expected}}}"
            if outputs
            else "one label",
            fix="Send all labels in this form; none was added.",
        )
