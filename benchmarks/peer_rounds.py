"""Rounds of a long benchmark, stored as they finish, so that an interrupted benchmark resumes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.load_generator import Load

#: Code of this project that is measured: rounds of different code are not mixed.
SOURCES = ("serving", "monitoring/traffic", "benchmarks")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """Results of one load on one server."""

    load: Load
    cpu_ms: float
    megabytes: float


Round = dict[tuple[str, int], LoadResult]
ResultsByServer = dict[tuple[str, int], list[LoadResult]]


@dataclass(slots=True, kw_only=True)
class Rounds:
    """The rounds of one model, in a file that is rewritten after each round."""

    path: Path
    done: list[Round] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """Reasons why servers did not run."""

    @classmethod
    def read(cls, path: Path) -> Rounds:
        """Read the stored rounds; none if the file does not exist."""
        if not path.is_file():
            return cls(path=path)
        stored = json.loads(path.read_text("utf-8"))
        return cls(path=path, done=[_round(document) for document in stored["rounds"]], missing=stored["missing"])

    def add(self, round_results: Round) -> None:
        """Add a round and write the file."""
        self.done.append(round_results)
        rounds = [
            [
                {"server": name, "connections": connections, **asdict(result)}
                for (name, connections), result in each.items()
            ]
            for each in self.done
        ]
        temporary = self.path.with_suffix(".part")
        temporary.write_text(json.dumps({"missing": self.missing, "rounds": rounds}), "utf-8")
        temporary.rename(self.path)

    def results_by_server(self) -> ResultsByServer:
        """Results of each server that took part in every round."""
        first, *others = self.done
        return {
            key: [first[key], *(other[key] for other in others)]
            for key in first
            if all(key in other for other in others)
        }


def _round(rows: Sequence[dict[str, object]]) -> Round:
    results: Round = {}
    for row in rows:
        fields = dict(row)
        name, connections, load = fields.pop("server"), fields.pop("connections"), fields.pop("load")
        results[str(name), int(str(connections))] = LoadResult(load=Load(**load), **fields)  # type: ignore[arg-type]  # of JSON
    return results


def fingerprint(root: Path = Path(), sources: Sequence[str] = SOURCES) -> str:
    """Digest of the measured code, eight characters."""
    digest = hashlib.sha256()
    for path in sorted(_files(root, sources)):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:8]


def _files(root: Path, sources: Sequence[str]) -> Iterator[Path]:
    for source in sources:
        yield from (root / source).rglob("*.py")
