"""Which configs a service is to find: all that it ever did, until a person removes one on purpose."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from monitoring.atomic import write_text
from monitoring.errors import BadInput, CannotRun


def registry_path(folder: Path, pattern: str) -> Path:
    """The file with the configs of a folder or a pattern."""
    digest = hashlib.sha256(os.path.abspath(pattern).encode(errors="surrogateescape")).hexdigest()  # noqa: PTH100
    return folder / f"configs-{digest[:16]}.json"


class ConfigRegistry:
    """The configs that are to be there, with the time when each was first seen, in a file of its owner.

    A service adds what it finds; `pitfalls monitor remove` takes out what is gone for good.
    """

    def __init__(self, path: Path | None) -> None:
        """A registry. `path`: the file; None: it is kept in memory, and forgotten when the process ends."""
        self.path = path
        self._since: dict[str, str] = {}

    @property
    def configs(self) -> dict[Path, str]:
        """The configs as this process knows them."""
        return {Path(path): since for path, since in self._since.items()}

    def read(self) -> dict[Path, str]:
        """The paths of the configs that are to be there, with the time of each as text."""
        if self.path is not None:
            try:
                self._since = dict(json.loads(self.path.read_text("utf-8"))["configs"])
            except (FileNotFoundError, NotADirectoryError):
                self._since = {}
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise CannotRun(
                    "The list of the configs that are to be there cannot be read.",
                    got=f"{self.path} ({error})",
                    expected="the file that `pitfalls monitor serve` writes",
                    fix="Delete it: the service then expects the configs that it finds.",
                ) from error
        return self.configs

    def add(self, paths: Iterable[Path], now: datetime) -> bool:
        """Expect more configs."""
        try:
            before = self.read()
        finally:
            new = [str(path) for path in paths if str(path) not in self._since]
            self._since |= dict.fromkeys(new, now.isoformat(timespec="seconds"))
        if new:
            self._write()
        return len(self._since) > len(before)

    def remove(self, path: Path) -> None:
        """Expect a config no more."""
        configs = self.read()
        if path not in configs:
            raise BadInput(
                "No config of this path is expected.",
                got=str(path),
                expected=", ".join(map(str, sorted(configs)[:5])) or "a config that the service has found",
                fix="`pitfalls monitor remove` without a name lists those that are missing.",
            )
        if path.exists():
            raise BadInput(
                "The config is there, and would be expected again at once.",
                got=str(path),
                expected="a config whose file is gone",
                fix="Delete or move its file first.",
            )
        del self._since[str(path)]
        self._write()

    def _write(self) -> None:
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_text(self.path, json.dumps({"configs": self._since}, indent=1, sort_keys=True) + "\n")
        except OSError as error:
            raise CannotRun(
                "The list of the configs that are to be there cannot be written.",
                got=f"{self.path} ({error.strerror})",
                expected="a folder that this user may write",
                fix="Name one with --state, or set XDG_STATE_HOME.",
            ) from error
