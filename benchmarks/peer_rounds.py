"""Rounds of a long benchmark, kept as they are done: whoever interrupts it goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.load_generator import Load

#: What is measured, as far as it is ours: rounds of other code are not mixed with these.
SOURCES = ("serving", "monitoring/traffic", "benchmarks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One stretch of load on one server."""

    load: Load
    cpu_ms: float
    megabytes: float


Round = dict[tuple[str, int], Seen]
Sightings = dict[tuple[str, int], list[Seen]]


@dataclass(slots=True, kw_only=True)
class Rounds:
    """The rounds of one model, in a file that is written anew after each."""

    path: Path
    done: list[Round] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """Why servers did not run."""

    @classmethod
    def at(cls, path: Path) -> Rounds:
        """What was kept there; none if there is no such file."""
        if not path.is_file():
            return cls(path=path)
        kept = json.loads(path.read_text("utf-8"))
        return cls(path=path, done=[_round(one) for one in kept["rounds"]], missing=kept["missing"])

    def keep(self, one: Round) -> None:
        """Add a round, also to the file."""
        self.done.append(one)
        rounds = [
            [{"server": name, "connections": connections, **asdict(seen)} for (name, connections), seen in each.items()]
            for each in self.done
        ]
        aside = self.path.with_suffix(".part")
        aside.write_text(json.dumps({"missing": self.missing, "rounds": rounds}), "utf-8")
        aside.rename(self.path)

    def sightings(self) -> Sightings:
        """What was seen of each server that was there in every round."""
        first, *others = self.done
        return {key: [first[key], *(one[key] for one in others)] for key in first if all(key in one for one in others)}


def _round(rows: Sequence[dict[str, object]]) -> Round:
    found: Round = {}
    for row in rows:
        given = dict(row)
        name, connections, load = given.pop("server"), given.pop("connections"), given.pop("load")
        found[str(name), int(str(connections))] = Seen(load=Load(**load), **given)  # type: ignore[arg-type]  # of JSON
    return found


def fingerprint(root: Path = Path()) -> str:
    """Eight characters that are others when the measured code is."""
    digest = hashlib.sha256()
    for path in sorted(_files(root)):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:8]


def _files(root: Path) -> Iterator[Path]:
    for source in SOURCES:
        yield from (root / source).rglob("*.py")
