"""The new normal: a deployment is held against a baseline made of its own traffic, and against the former one again."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from monitoring.baseline.folder import Baseline, load_baseline, read_rebaseline, write_baseline, write_rebaseline
from monitoring.baseline.predictions import Predictions
from monitoring.baseline.schema import write_inferred
from monitoring.baseline.spec import BaselineSpec
from monitoring.config import BaselineSection, MonitorConfig, load_config
from monitoring.config.config_text import section_of
from monitoring.config.made_beside import SECTION, made_beside, with_kept_section, write_section
from monitoring.deployment.deployment import Deployment, deploy, evidence_basis
from monitoring.deployment.deployment_lookup import config_in_use, look_up_deployment
from monitoring.deployment.places import SCHEMA_FILE, find_baseline
from monitoring.documents.document import Document, Moment
from monitoring.errors import AnotherRun, BadInput, CannotRun
from monitoring.judging.fit.reference_limits import reference_limits
from monitoring.judging.window.traffic_source import TrafficSource
from monitoring.onboarding.config_file import as_written, put_in_place, staging
from monitoring.records import Rebaseline
from monitoring.sources.traffic import open_traffic, require_traffic
from monitoring.store.leases import LEASE_SECONDS, Lease
from monitoring.store.store import Store
from monitoring.timestamps import as_datetime
from monitoring.traffic.windows import Window
from monitoring.watches.embedding import Embed, Embedder, EmbeddingSource, embedded


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNormal:
    """What a person says of a new baseline.

    Attributes:
        since: From when on windows are judged against it; None: from the later of `end` and the last judged window.
    """

    start: datetime
    end: datetime
    since: datetime | None
    reason: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RebaselineResult:
    """A new baseline. `deployment`: the deployment's number; None if none has been judged with this config."""

    deployment: int | None
    folder: Path
    rows: int
    labels: int
    since: datetime
    closed: tuple[int, ...]
    notes: tuple[str, ...]


def rebaseline(
    path: Path,
    config: MonitorConfig,
    new_normal: NewNormal,
    *,
    clock: Callable[[], datetime],
    embedder: Embedder | None = None,
) -> RebaselineResult:
    """Make a baseline of windows of the traffic, and hold the deployment against it from now on.

    The deployment's lease is held meanwhile: no run judges it, and no other process changes its baseline. The baseline
    is written beside the config, whose [baseline] section then names it; every other line of the config stays. Where
    its folder cannot be written, both are kept in the state folder. What was judged stays as it was. Killed at any
    moment, the deployment has one of the two baselines, and the next run goes on with it.
    """
    now = clock()
    _check(new_normal, now)
    require_traffic(config)
    load_baseline(find_baseline(config).baseline)
    with Store.open(config.store.url) as store, ExitStack() as held:
        config = config_in_use(config, store)
        former = load_baseline((place := find_baseline(config)).baseline)
        note = _entered(config, store, path, clock)
        lease = held.enter_context(_held_deployment(store, path, config, clock))
        since = _since(new_normal, _judged_until(config, store))
        text = _text(path)
        section = section_of(with_kept_section(path, text), SECTION)
        change = _change(new_normal, now, since, evidence_basis(config), section)
        embed = None if embedder is None or former.spec.embedding is None else embedder(place.folder)
        traffic = open_traffic(config, former, place.version, clock=clock, meanwhile=lambda: lease.keep(clock()))
        table = live_reference(traffic, Window(start=new_normal.start, end=new_normal.end), former.spec, embed)
        _check_rows(table, new_normal)
        lease.renew(clock())
        folder = _free_folder(made_beside(path), since)
        changed = _changed(config, folder, None if config.model.baseline is not None else place.version, since)
        deployment = _write(table, former, change, changed, folder)
        lease.renew(clock())
        _write_config(path, text, _section(changed.baseline, path))
        number = store.find_or_create(deployment.record(changed, clock()), holder=lease.owner)
        changes = [record for record in store.rebaselines.read(number) if record.at == now]
    return RebaselineResult(
        deployment=number,
        folder=folder,
        rows=table.num_rows,
        labels=table.num_rows - table["label"].null_count,
        since=since,
        closed=changes[0].closed if changes else (),
        notes=(*note, *_notes(deployment, table, new_normal, now)),
    )


def undo_rebaseline(path: Path, *, by: str, clock: Callable[[], datetime]) -> Rebaseline:
    """Hold a deployment against the baseline before its last one again, with the evidence of then.

    Args:
        path: The config's file. Its [baseline] section becomes the one before.
    """
    config = load_config(path)
    change = None if config.baseline.path is None else read_rebaseline(config.baseline.path)
    with Store.open(config.store.url, make=False) as store, _held_deployment(store, path, config, clock) as lease:
        number = look_up_deployment(config, store).number
        standing = (
            [] if number is None else [record for record in store.rebaselines.read(number) if record.undone_at is None]
        )
        undone = change
        if number is not None and standing and (change is None or change.at == standing[-1].at):
            undone = store.rebaselines.undo(number, by, clock(), lease.owner)
        if undone is None:
            raise BadInput(
                "There is no new baseline to undo.",
                got=f"{path}, whose baseline was not made by `pitfalls monitor rebaseline`",
                expected="a [baseline] section that it wrote",
                fix="Remove the section by hand if you wrote it.",
            )
        if change is not None:
            _write_config(path, _text(path), change.former_section)
    return undone


def _check(new_normal: NewNormal, now: datetime) -> None:
    """Refuse times that are out of order or not over, and a change without a reason."""
    if (
        new_normal.start >= new_normal.end
        or new_normal.end > now
        or (new_normal.since is not None and new_normal.since < new_normal.end)
    ):
        since = "" if new_normal.since is None else f", since {new_normal.since:%Y-%m-%dT%H:%M}"
        raise BadInput(
            "These are no windows to make a baseline of.",
            got=f"{new_normal.start:%Y-%m-%dT%H:%M} to {new_normal.end:%Y-%m-%dT%H:%M}{since}",
            expected="a beginning, an end that is past, and windows that are judged against it after that end",
            fix="Correct --from, --to or --since.",
        )
    if not new_normal.reason.strip() or len(new_normal.reason) > LONGEST_REASON:
        raise BadInput(
            "A new baseline needs a reason.",
            got=f"{len(new_normal.reason):,} characters" if new_normal.reason.strip() else "no text",
            expected=f"a sentence, of at most {LONGEST_REASON:,} characters",
            fix="Say with --reason why what these windows show is normal.",
        )


#: Characters of a reason: it is told with the incidents that are closed.
LONGEST_REASON = 3_000


def _change(new_normal: NewNormal, now: datetime, since: datetime, basis: str, section: str) -> Rebaseline:
    """The record of a change from a baseline with that basis and that section of the config."""
    return Rebaseline(
        at=now,
        by=new_normal.by,
        reason=new_normal.reason,
        start=new_normal.start,
        end=new_normal.end,
        since=since,
        former_basis=basis,
        former_section=section,
    )


def _entered(config: MonitorConfig, store: Store, path: Path, clock: Callable[[], datetime]) -> tuple[str, ...]:
    """Enter a deployment in the store that has judged nothing yet: its first run waits for its lease. Gives notes."""
    _check_unchanged(path, config)
    lookup = look_up_deployment(config, store)
    if lookup.number is not None and not lookup.note:
        return ()
    store.find_or_create(deploy(config).record(config, clock()))
    return (*filter(None, (lookup.note,)), "Its history begins with the new baseline.")


def _judged_until(config: MonitorConfig, store: Store) -> datetime | None:
    """The end of the last window that was judged with the config."""
    number = look_up_deployment(config, store).number
    last = None if number is None else store.windows.last(number)
    return None if last is None else last.record.end


def _since(new_normal: NewNormal, judged_until: datetime | None) -> datetime:
    if new_normal.since is not None and judged_until is not None and new_normal.since < judged_until:
        raise BadInput(
            "Windows are judged once.",
            got=f"--since {new_normal.since:%Y-%m-%dT%H:%M}",
            expected=f"{judged_until:%Y-%m-%dT%H:%M} UTC or later: windows until then are judged",
            fix="Leave out --since.",
        )
    return (new_normal.since or max(new_normal.end, judged_until or new_normal.end)).astimezone(UTC)


def _check_rows(table: pa.Table, new_normal: NewNormal) -> None:
    if not table.num_rows:
        raise BadInput(
            "The traffic has no rows there.",
            got=f"no usable row from {new_normal.start:%Y-%m-%dT%H:%M} to {new_normal.end:%Y-%m-%dT%H:%M}",
            expected="rows of this model with an answer",
            fix="`pitfalls monitor status` shows the windows; correct --from and --to.",
        )


def _free_folder(beside: Path, since: datetime) -> Path:
    """A folder for the baseline that is not there yet."""
    name, count = f"baseline-{since:%Y-%m-%d}", 1
    while (beside / (name if count == 1 else f"{name}-{count}")).exists():
        count += 1
    return beside / (name if count == 1 else f"{name}-{count}")


def _changed(config: MonitorConfig, folder: Path, version: int | None, since: datetime) -> MonitorConfig:
    held = {"path": folder, "version": version, "since": since, "burn_in": None, "leave_out": ()}
    section = config.baseline.model_copy(update=held)
    return config.model_copy(update={"baseline": section})


def _section(baseline: BaselineSection, path: Path) -> str:
    """The config's section that names the baseline, as text."""
    assert baseline.path is not None  # noqa: S101 - for the type checker: both are given
    assert baseline.since is not None  # noqa: S101 - as above
    lines = [
        f"[{SECTION}]",
        "# Made by `pitfalls monitor rebaseline` from windows of the traffic; windows before `since` are not judged.",
        f"path = {json.dumps(as_written(baseline.path, path.absolute().parent), ensure_ascii=False)}",
        *([] if baseline.version is None else [f"version = {baseline.version}"]),
        f"since = {baseline.since.isoformat().replace('+00:00', 'Z')}",
    ]
    return "\n".join(lines) + "\n"


def _write(table: pa.Table, former: Baseline, change: Rebaseline, changed: MonitorConfig, folder: Path) -> Deployment:
    """Put the baseline in its place once a run could use it; gives the deployment with it."""
    with staging(folder.parent) as aside:
        write_baseline(table, folder=aside / folder.name, spec=former.spec)
        rows = table.select([*(feature.name for feature in former.spec.features), "label"])
        write_inferred(rows, aside / folder.name / SCHEMA_FILE, label="label")
        write_rebaseline(change, aside / folder.name)
        section = changed.baseline.model_copy(update={"path": aside / folder.name})
        deploy(changed.model_copy(update={"baseline": section}))
        put_in_place(aside, (folder.name,), folder.parent)
    return deploy(changed)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CannotRun(
            "The config cannot be read.",
            got=f"{path}: {error.strerror}",
            expected="the file that was just read",
            fix="Nothing was changed; run the command again.",
        ) from error


def _write_config(path: Path, text: str, section: str) -> None:
    try:
        write_section(path, text, section)
    except OSError as error:
        raise CannotRun(
            "The config cannot be written.",
            got=f"{path}: {error.strerror}",
            expected="a file that this user may write",
            fix="The deployment is as it was; make the file writable, and run the command again.",
        ) from error


def _notes(deployment: Deployment, table: pa.Table, new_normal: NewNormal, now: datetime) -> tuple[str, ...]:
    """What the new baseline cannot carry, and labels that may still come for it."""
    fit, times = deployment.reference_fit, deployment.baseline.rows.answers.event_times
    span = as_datetime(int(times.max())) - as_datetime(int(times.min()))
    notes = list(reference_limits(fit.means, fit.unfitted, span=span, pooled_rows=fit.tests["page"].pooled_rows))
    if table["label"].null_count == table.num_rows:
        notes.append("No labels have come for these windows: errors are not watched.")
    elif now < new_normal.end + deployment.horizon:
        notes.append(
            f"Labels may come until {deployment.horizon.days} days after their rows: the last of these windows may "
            "not have all of theirs."
        )
    return tuple(notes)


@contextmanager
def _held_deployment(store: Store, path: Path, config: MonitorConfig, clock: Callable[[], datetime]) -> Iterator[Lease]:
    """Hold the lease of a config's deployment, as a run does: processes that share the store take turns.

    Where the store knows of none, nothing is held.

    Raises:
        AnotherRun: A run is at work, or another new baseline is being made, or was made since the config was read.
    """
    number = look_up_deployment(config, store).number
    if number is None:
        yield Lease(owner="", renewal=lambda _: None, ending=lambda: None)
        return
    with store.leases.take(number, f"rebaseline-{uuid.uuid4().hex}", clock(), LEASE_SECONDS) as lease:
        _check_unchanged(path, config)
        yield lease


def _check_unchanged(path: Path, config: MonitorConfig) -> None:
    """Check that the baseline is still the one that the config had when it was read.

    Raises:
        AnotherRun: It was changed since.
    """
    if load_config(path).baseline != config.baseline:
        raise AnotherRun(
            "The deployment has another baseline since its config was read.",
            got=f"a changed [baseline] section in {path}",
            expected="the section that was read",
            fix="Nothing was changed; look at the deployment, and ask again.",
        )


_TIME = pa.timestamp("us", "UTC")


def live_reference(traffic: TrafficSource, window: Window, spec: BaselineSpec, embed: Embed | None) -> pa.Table:
    """The answered rows of a time, each with its last label.

    Args:
        embed: Computes embeddings; None where there are none, or no model to compute them.

    Returns:
        Columns as `monitoring.baseline.folder.write_baseline` takes them. Rows without a usable answer are left out,
        and of a baseline with an embedding those that cannot be embedded. Memory: all of the rows.
    """
    rows, _ = traffic.read(window)
    rows = rows.take(np.flatnonzero(np.isfinite(rows.probabilities).all(axis=1)))
    if spec.embedding is not None:
        rows = embedded(rows, EmbeddingSource(embedding=spec.embedding, embed=embed))
    return _table(rows, traffic.latest_labels())


def _table(rows: Predictions, labels: pa.Table) -> pa.Table:
    places = pc.index_in(rows.ids, labels["prediction_id"].combine_chunks())
    columns = {
        "prediction_id": rows.ids,
        "event_time": pa.array(rows.event_times).cast(_TIME),
        **{name: rows.features[name] for name in rows.features.column_names},
        "probabilities": _lists(rows),
        "label": labels["label"].combine_chunks().take(places),
        "label_time": labels["label_time"].combine_chunks().take(places).cast(_TIME),
    }
    return pa.table(columns)


def _lists(rows: Predictions) -> pa.Array:
    width = rows.probabilities.shape[1]
    starts = pa.array(np.arange(0, (len(rows) + 1) * width, width, dtype=np.int32))
    return pa.ListArray.from_arrays(starts, pa.array(rows.probabilities.ravel()))


class OneAtATime:
    """Refuses a change of a baseline while another is made.

    >>> changes = OneAtATime()
    >>> with changes.change():
    ...     print("made")
    made
    """

    def __init__(self) -> None:
        self._lock = Lock()

    @contextmanager
    def change(self) -> Iterator[None]:
        """Hold off other changes."""
        if not self._lock.acquire(blocking=False):
            raise CannotRun(
                "Another new baseline is being made.",
                got="two at once",
                expected="one after the other",
                fix="Wait until it is done, and send again.",
            )
        try:
            yield
        finally:
            self._lock.release()


class NewBaselineDocument(Document):
    """A new baseline: its folder, its rows, from when on windows are judged against it, and the incidents it closed.

    `deployment` is null where none has been judged with the config.
    """

    deployment: int | None
    baseline: str
    rows: int
    labels: int
    since: Moment
    closed: list[int]
    notes: list[str]


class UndoneBaselineDocument(Document):
    """A new baseline that was undone: windows from `since` on are judged again by the next run."""

    since: Moment
    reopened: list[int]


def rebaseline_document(result: RebaselineResult) -> NewBaselineDocument:
    """A new baseline as a document."""
    return NewBaselineDocument(
        deployment=result.deployment,
        baseline=str(result.folder),
        rows=result.rows,
        labels=result.labels,
        since=result.since,
        closed=list(result.closed),
        notes=list(result.notes),
    )


def undone_document(undone: Rebaseline) -> UndoneBaselineDocument:
    """The undoing of a new baseline as a document."""
    return UndoneBaselineDocument(since=undone.since, reopened=list(undone.closed))
