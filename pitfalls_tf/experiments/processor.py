"""The processor that made results: its kernels sum large matrices in an order of their own."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Processor:
    """Model name of a processor, and the number of threads that the process may use."""

    model: str
    threads: int

    def __str__(self) -> str:
        return f"{self.model}, {self.threads} {'thread' if self.threads == 1 else 'threads'}"


def current_processor(cpuinfo: Path = CPUINFO) -> Processor:
    """The processor that this process runs on.

    Returns:
        The processor; where the file has no model name, the model is the name of the architecture.

    >>> current_processor(Path("no such file")).model == platform.machine()
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
