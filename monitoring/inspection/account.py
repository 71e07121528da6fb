"""The account of a deployment's period: a zip that an outsider checks with `account_checker.py` alone."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from monitoring.atomic import write_bytes
from monitoring.config import MonitorConfig
from monitoring.deployment.deployment import Deployment, deploy, same_evidence
from monitoring.deployment.places import with_version
from monitoring.distribution import installed_version
from monitoring.documents.document import iso
from monitoring.errors import BadInput, CannotRun
from monitoring.inspection.account_records import (
    Node,
    drill_node,
    incident_node,
    moment,
    plan_node,
    recount_node,
    rollout_node,
    window_nodes,
)
from monitoring.judging.level_evidence import LABEL_WINDOWS, has_losses
from monitoring.records import DeploymentRecord
from monitoring.store.store import Store
from monitoring.traffic.erased_ids import FOLDER, erasure_names

#: The files of an account in the order of their chain.
FILES: Final = ("plan", "windows", "incidents", "labels", "drills", "rollouts", "runs", "erasures")

#: The checker, which users copy; it imports nothing of this package.
CHECKER: Final = Path(__file__).with_name("account_checker.py")

_FORMAT = 1
_UNREAD: Final = "the baseline of version {} cannot be read: its evidence of levels is bound by the chain alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account.

    Attributes:
        header: What `account.json` has: the period, and for each file how many records it has.
        head: The last hash of the chain: whoever has it can tell whether anything was changed since.
        files: The lines of each file, a hash and a record each.
    """

    header: Node
    head: str
    files: Mapping[str, tuple[str, ...]]

    def write(self, target: Path) -> int:
        """Write the zip, in place of one of that name. Returns its size in bytes."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            texts = {f"{name}.txt": "".join(f"{line}\n" for line in lines) for name, lines in self.files.items()}
            for name, text in {"account.json": canonical(self.header) + "\n", **texts}.items():
                entry = zipfile.ZipInfo(name)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, text.encode())
        write_bytes(target, packed.getvalue())
        return len(packed.getvalue())


def canonical(node: object) -> str:
    """A record as JSON of one form: sorted keys, no blanks, no number that is not finite."""
    return json.dumps(node, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def chained(header: Node, records: Mapping[str, Sequence[Node]]) -> Account:
    """Chain records: the hash of each is of the hash before it, its file and itself; the first is of the header.

    >>> account = chained({"format": 1}, {"plan": [{"deployment": 1}]})
    >>> account.head == account.files["plan"][0][:64]
    True
    """
    header = {**header, "records": {name: len(nodes) for name, nodes in records.items()}}
    last = hashlib.sha256(canonical(header).encode()).hexdigest()
    files: dict[str, tuple[str, ...]] = {}
    for name, nodes in records.items():
        lines = []
        for node in nodes:
            text = canonical(node)
            last = hashlib.sha256(f"{last} {name} {text}".encode()).hexdigest()
            lines.append(f"{last} {text}")
        files[name] = tuple(lines)
    return Account(header=header, head=last, files=files)


def account(config: MonitorConfig, store: Store, *, start: datetime, end: datetime, now: datetime) -> Account:
    """The account of all deployments of a config's name from `start` to `end`, aware: of windows that lie within.

    Cost: one fit of the reference for each version where none is kept, and a few ms for each window.

    Raises:
        BadInput: No window of the period was judged.
    """
    records: dict[str, list[Node]] = {name: [] for name in FILES}
    releases: set[str] = set()
    unread: list[str] = []
    for record in store.deployments.of_name(config.name):
        try:
            current = _fitted(config, record)
        except (BadInput, CannotRun):
            current = None
            unread.append(str(record.version))
        releases |= _add_deployment(records, store, record, current, (start, end))
    if not records["windows"]:
        raise BadInput(
            "No window of that time was judged.",
            got=f"{iso(start)} to {iso(end)}, of {config.name}",
            expected="a period with windows",
            fix="`pitfalls monitor windows` lists them.",
        )
    drills = sorted(store.drills.latest(config.name), key=lambda drill: drill.number)
    records["drills"] = [
        drill_node(drill, position) for position, drill in enumerate(drills, start=1) if start <= drill.at < end
    ]
    rollouts = sorted(store.rollouts.latest(config.name), key=lambda rollout: rollout.number)
    records["rollouts"] = [
        rollout_node(rollout, position, store.rollouts.events(rollout.number))
        for position, rollout in enumerate(rollouts, start=1)
        if rollout.started_at < end and (rollout.ended_at is None or rollout.ended_at >= start)
    ]
    records["erasures"] = _erasures(config, start, end)
    header: Node = {
        "format": _FORMAT,
        "name": config.name,
        "from": iso(start),
        "to": iso(end),
        "made_at": iso(now),
        "made_by": f"pitfalls {installed_version()}",
        "judged_by": sorted(releases),
        "not_recounted": _UNREAD.format(", ".join(dict.fromkeys(unread))) if unread else None,
    }
    return chained(header, records)


def _fitted(config: MonitorConfig, record: DeploymentRecord) -> Deployment | None:
    """A deployment of the store as it was fitted, of its own version; none where the config's settings are others.

    Raises:
        BadInput: the config does not fit its baseline.
        CannotRun: the baseline is not there any more.
    """
    if config.model.baseline is None and config.model.version is None:
        config = with_version(config, record.version)
    return deploy(config) if record.settings_digest == same_evidence(config) else None


def _add_deployment(
    records: dict[str, list[Node]],
    store: Store,
    record: DeploymentRecord,
    current: Deployment | None,
    period: tuple[datetime, datetime],
) -> set[str]:
    """Add what the store has of one deployment in a period. Returns the releases that judged its windows."""
    number, (start, end) = record.number or 0, period
    everything = store.windows.recent(number)
    windows = [window for window in store.windows.read(number, since=start) if window.start >= start]
    windows = [window for window in windows if window.end <= end]
    if not windows:
        return set()
    before = [window for window in everything if window.start < windows[0].start]
    rebaselines = store.rebaselines.read(number)
    plan = plan_node(
        record,
        store.deployments.baseline(number),
        store.deployments.sensitivity(number),
        [one for one in rebaselines if one.at < end],
        [one for one in store.backfills.read(number) if one.at < end],
    )
    watches = current.catalogue.watches if current is not None else {}
    plan["recount"] = None
    if current is not None:
        since = max((one.undone_at or one.at for one in rebaselines), default=None)
        plan["recount"] = recount_node(current, store.deployments.states(number), record.since if since else None)
        recent = store.windows.read(number, before=windows[0].start, latest=LABEL_WINDOWS)
        plan["recount"]["labelled_before"] = [has_losses([one], watches) if one.scores else None for one in recent]
    records["plan"].append(plan)
    records["windows"] += window_nodes(number, windows, watches, before=before)
    first, last = windows[0].start, windows[-1].end
    records["incidents"] += [
        incident_node(number, incident)
        for incident in store.incidents.read(number)
        if incident.opened_at <= last and (incident.closed_at is None or incident.closed_at > first)
    ]
    records["labels"] += _labels(store, number, start, end)
    runs = [run for run in reversed(store.runs.latest(number)) if start <= run.started_at < end]
    records["runs"] += [
        {
            "deployment": number,
            "started_at": iso(run.started_at),
            "ended_at": moment(run.ended_at),
            "windows": run.windows,
            "rows": run.rows,
            "failed": bool(run.error),
            "release": run.version,
        }
        for run in runs
    ]
    return {run.version for run in store.runs.latest(number) if run.version}


def _labels(store: Store, number: int, start: datetime, end: datetime) -> Iterable[Node]:
    """Requests that added labels, in order, with the labels so far."""
    total = 0
    for added in reversed(store.added_labels.latest(number)):
        if start <= added.at < end:
            yield {
                "deployment": number,
                "at": iso(added.at),
                "by": added.by,
                "labels": added.labels,
                "labels_before": total,
            }
        total += added.labels


def _erasures(config: MonitorConfig, start: datetime, end: datetime) -> list[Node]:
    """Erasures of rows from a log in a local folder: when, by whom, how many rows, and the digest of the receipt."""
    root = config.traffic.path
    nodes: list[Node] = []
    if not isinstance(root, Path):
        return nodes
    for name in erasure_names(root):
        data = (root / FOLDER / name).read_bytes()
        receipt = json.loads(data)
        if start <= datetime.fromisoformat(receipt["begun_at"]) < end:
            plain = {key: receipt[key] for key in ("begun_at", "ended_at", "by", "state", "removed")}
            nodes.append({**plain, "receipt_sha256": hashlib.sha256(data).hexdigest()})
    return nodes
