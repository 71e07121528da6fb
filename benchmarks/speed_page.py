"""The page of what was measured: docs/speed.md."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.results import Environment, Result, Table, shown

HEAD = """# Speed, beside others

What `make bench-serving` measured: this server and the Python servers that people would pick otherwise, with the same
models, the same requests and the same load generator, in one run. Read ratios; absolute figures are of one machine.

Each server has one worker for the model. The peers run as their documentation starts them, in environments of their
own (`benchmarks/peers/`), on the signature of the same SavedModel. The ceiling is uvicorn with httptools and orjson,
which parses the body and answers a constant: an application on this stack with no model at all.

Throughput: answers a second in a closed loop, one row a request. CPU: of all of a server's processes, for one answer;
the figure that says most where server and generator share the cores.

Why a goal is missed is in the profiles at the end of this page, which show where our own time goes, stage by stage
(`python -m benchmarks answer_profile grpc_profile` makes them alone). For a lone request to the convnet the ceiling's
own time and the model's run already take what the goal allows, or nearly; for one to the dense model what is left is
spread over many small steps, none of which is a loop. Of a gRPC answer's processor time the library takes a third
to a half, whatever the answer, and it hands requests over one by one, so that hardly two share a batch.
[Decision 0017](decisions/0017-an-answers-time.md) and [decision 0007](decisions/0007-grpc.md) say what was cut and what
was not.

"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A ratio with its bound.

    >>> str(Goal(model="dense", says="of the ceiling", got=0.6, least=0.5))
    'at least 0.5 of the ceiling'
    """

    model: str
    says: str
    got: float
    least: float | None = None
    most: float | None = None

    @property
    def reached(self) -> bool:
        """Whether it keeps its bound."""
        return (self.least is None or self.got >= self.least) and (self.most is None or self.got <= self.most)

    def __str__(self) -> str:
        return (
            f"at least {self.least:g} {self.says}" if self.least is not None else f"at most {self.most:g} {self.says}"
        )


def write_page(path: Path, result: Result) -> None:
    """Write tables and remarks as Markdown."""
    environment = Environment()
    libraries = ", ".join(f"{name} {version}" for name, version in environment.libraries)
    parts = [HEAD, f"Measured with {environment}; {libraries}.\n\n"]
    parts += [_drawn(table) for table in (result.tables[-1], *result.tables[:-1])]
    if result.remarks:
        parts.append("## Remarks\n\n" + "".join(f"- {remark}\n" for remark in result.remarks))
    path.write_text("".join(parts).rstrip() + "\n", encoding="utf-8")


def _drawn(table: Table) -> str:
    lines = [f"## {table.title}", "", "| " + " | ".join(table.columns) + " |"]
    lines.append("|---" + "|---:" * (len(table.columns) - 1) + "|")
    lines += ["| " + " | ".join(shown(cell) for cell in row) + " |" for row in table.rows]
    return "\n".join([*lines, "", table.note, "", ""])
