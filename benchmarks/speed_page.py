"""Writes docs/speed.md."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from benchmarks.results import Environment, Result, Table, cell_text

HEAD = """# Speed of serving

Results of `make bench-serving`: this server and other Python model servers with the same models, requests and load
generator, in one run. Compare ratios; absolute figures hold for one machine.

Each server has one worker for the model. The peers run as their documentation starts them, in their own environments
(`benchmarks/peers/`), on the signature of the same SavedModel. The ceiling is uvicorn with httptools and orjson, which
parses the body and returns a constant: an application on this stack without a model.

Throughput is responses per second in a closed loop with one row per request. CPU is per response, of all processes of a
server; it is the most informative figure, because server and generator share the cores.

The profiles at the end of this page show this server's time by stage, and why a goal is missed; they run alone with
`python -m benchmarks response_profile grpc_profile`. For a single request to the convnet, the ceiling's time and the
model's run together use almost all that the goal allows; for one to the dense model the rest is spread over many small
steps. Half of the CPU time of a gRPC response is that of HTTP/2: frames, headers, windows and the states of calls. At
64 connections the library h2 takes three tenths of the event loop's time, the write of each answer to its socket a
tenth, the model's run a fifteenth, and no other function more than 3 %. So nothing is left that would reach these goals
with this library: gRPC's own server takes as long for a constant.
[Decision 0017](decisions/0017-an-answers-time.md) and [decision 0070](decisions/0070-one-grpc-engine.md) have the
details.

"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A ratio with its bound.

    >>> str(Goal(model="dense", of="of the ceiling", got=0.6, least=0.5))
    'at least 0.5 of the ceiling'
    """

    model: str
    of: str
    got: float
    least: float | None = None
    most: float | None = None

    @property
    def reached(self) -> bool:
        """Whether the bound is kept."""
        return (self.least is None or self.got >= self.least) and (self.most is None or self.got <= self.most)

    def __str__(self) -> str:
        return f"at least {self.least:g} {self.of}" if self.least is not None else f"at most {self.most:g} {self.of}"


def write_page(path: Path, result: Result) -> None:
    """Write tables and remarks as Markdown."""
    environment = Environment()
    libraries = ", ".join(f"{name} {version}" for name, version in environment.libraries)
    load = f"The load average of the last 15 minutes was {os.getloadavg()[2]:.1f} at the end."
    parts = [HEAD, f"Measured with {environment}; {libraries}. {load}\n\n"]
    parts += [_markdown(table) for table in (result.tables[-1], *result.tables[:-1])]
    if result.remarks:
        parts.append("## Remarks\n\n" + "".join(f"- {remark}\n" for remark in result.remarks))
    path.write_text("".join(parts).rstrip() + "\n", encoding="utf-8")


def _markdown(table: Table) -> str:
    lines = [f"## {table.title}", "", "| " + " | ".join(table.columns) + " |"]
    lines.append("|---" + "|---:" * (len(table.columns) - 1) + "|")
    lines += ["| " + " | ".join(cell_text(cell) for cell in row) + " |" for row in table.rows]
    return "\n".join([*lines, "", table.note, "", ""])
