"""On what processor results were made: its kernels add up large matrices in an order of their own."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Processor:
    """Its model, as it calls itself, and how many threads this process may use of it."""

    model: str
    threads: int

    def __str__(self) -> str:
        return f"{self.model}, {self.threads} {'thread' if self.threads == 1 else 'threads'}"


def processor(cpuinfo: Path = CPUINFO) -> Processor:
    """This process's; the architecture's name where the system does not tell the model.

    >>> processor(Path("nowhere")).model == platform.machine()
    True
    """
    model = platform.machine()
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name" and value.strip():
                model = value.strip()
                break
    return Processor(model=model, threads=len(os.sched_getaffinity(0)))
