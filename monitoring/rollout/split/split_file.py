"""The file by which a rollout tells servers which version answers a request that names none."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from monitoring.atomic import write_text
from monitoring.errors import BadInput, CannotRun
from monitoring.rollout.evidence.assignment import position

#: The unit of a request that was to be split and has no key: the champion answers it.
NO_KEY = "-"

#: The input column of the traffic log that has the unit of each row of a split; empty for requests that were not split.
UNIT_COLUMN = "rollout_unit"

STICKY = ("request", "day", "forever")

#: Units are positions in multiples of 2^-53, in so many hexadecimal digits.
_DIGITS = 14
_SPACE = 1 << 53


@dataclass(frozen=True, kw_only=True)
class Split:
    """How requests that name no version are split.

    Attributes:
        share: The share of units that it gets; 0 once the split is over: the champion answers all, and nothing is
            logged of the split.
        key: The input or header that a unit is made of; None where each request is one.
        sticky: Whether a unit is a request, a key on one day, or a key.
    """

    model: str
    champion: int
    candidate: int
    share: float
    salt: str
    key: str | None
    sticky: str
    timezone: str = "UTC"

    @property
    def is_over(self) -> bool:
        """Whether one version answers all requests."""
        return self.share == 0.0

    @cached_property
    def zone(self) -> ZoneInfo:
        """The zone of the days."""
        return ZoneInfo(self.timezone)

    def assign(self, key: str | None, request_id: str, event_time_us: int) -> tuple[int, str]:
        """Which version answers a request, and the unit that it is logged with.

        >>> split = Split(
        ...     model="m", champion=1, candidate=2, share=0.5, salt="s", key="user", sticky="day", timezone="UTC"
        ... )
        >>> split.assign("ada", "r", 0) == split.assign("ada", "q", 86_399_999_999)
        True
        >>> split.assign(None, "r", 0)
        (1, '-')

        Args:
            key: The value of its key; None where it has none.
            event_time_us: Its event time, in microseconds since 1970.

        Returns:
            The version, and the position of its unit in hexadecimal, which says nothing of the key.
        """
        if self.sticky == "request":
            text = request_id
        elif key is None:
            return self.champion, NO_KEY
        elif self.sticky == "day":
            text = f"{key}\0{datetime.fromtimestamp(event_time_us / 1e6, UTC).astimezone(self.zone):%Y-%m-%d}"
        else:
            text = key
        place = position(self.salt, text)
        return (self.candidate if place < self.share else self.champion), f"{round(place * _SPACE):0{_DIGITS}x}"

    def version_of(self, unit: str) -> int:
        """The version that was to answer a unit."""
        return self.candidate if unit != NO_KEY and int(unit, 16) / _SPACE < self.share else self.champion


def write_split(file: Path, split: Split) -> None:
    """Write the file, at once and whole. Raises CannotRun if that fails."""
    text = json.dumps(asdict(split), indent=1) + "\n"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.is_file() or file.read_text("utf-8") != text:
            write_text(file, text)
    except (OSError, UnicodeDecodeError) as error:
        raise _cannot(file, error) from error


def end_split(file: Path, stays: int, *, salt: str | None = None) -> None:
    """Have servers split no more: one version answers requests that name none, and not the newest."""
    split = read_split(file)
    if split is None or (salt is not None and (split.salt != salt or split.is_over)):
        return
    write_split(file, replace(split, champion=stays, share=0.0))


def read_split(file: Path) -> Split | None:
    """Read the file. Returns how requests are split; None where there is no file: they are not.

    Raises:
        BadInput: It is no such file.
    """
    try:
        split = Split(**_checked(json.loads(file.read_text("utf-8"))))
        ZoneInfo(split.timezone)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, ZoneInfoNotFoundError) as error:
        raise BadInput(
            "The split of a rollout cannot be read.",
            got=f"{file}: {error}",
            expected="the file that `pitfalls rollout start` writes",
            fix="Remove it, and run `pitfalls rollout start` again.",
        ) from error
    return split


def _checked(document: Any) -> dict[str, Any]:
    """The values of a file. Raises TypeError, KeyError or ValueError where they are none of a split."""
    fields = dict(document)
    texts, versions = ("model", "salt", "timezone"), ("champion", "candidate")
    is_shared = isinstance(fields["share"], float) and 0.0 <= fields["share"] < 1.0
    has_key = isinstance(fields["key"], str) or (fields["key"] is None and fields["sticky"] == "request")
    fits = is_shared and has_key and fields["sticky"] in STICKY
    if not (
        fits and all(type(fields[name]) is str for name in texts) and all(type(fields[n]) is int for n in versions)
    ):
        raise ValueError("its values are none of a split")
    return fields


def _cannot(file: Path, error: Exception) -> CannotRun:
    return CannotRun(
        "The split of the requests cannot be written.",
        got=f"{file}: {error}",
        expected="a file that this user may write, and servers may read",
        fix="Name another one as `split_file` of the [rollout] section, and as --split-file of the server.",
    )
