"""Flags of the traffic log."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import click

from monitoring.errors import BadInput
from monitoring.traffic.log.redaction import Redaction
from monitoring.traffic.log.retention import read_retention
from monitoring.traffic.log.writer import SegmentPolicy, Sync
from monitoring.traffic.windows import parse_duration
from pitfalls_tf.cli.serve.option_groups import option_group
from serving.capture.traffic_log import TrafficSettings
from serving.inference.timestamps import EventTimeRange

HASH_KEY_VARIABLE = "PITFALLS_HASH_KEY"
SERVE, REFUSE = "serve", "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficFlags:
    """Values of the flags; None if not given."""

    traffic: Path | None
    traffic_archive: str | None
    retain: str | None
    log_sync: str
    log_sync_seconds: float
    on_log_failure: str
    log_segment_bytes: int
    log_segment_age: str
    event_time_range: tuple[str, str]
    any_event_time: bool
    redact: tuple[str, ...]
    hashes: tuple[str, ...]
    hash_key_file: Path | None
    log_caller: str

    def settings(self) -> TrafficSettings:
        """Settings of the traffic log.

        Raises:
            BadInput: an invalid age or retention, a column both redacted and hashed, no key to hash with, an archive
                without a log, or with a retention.
        """
        if self.traffic_archive is not None and self.traffic is None:
            raise BadInput(
                "An archive needs a traffic log.",
                got="--traffic-archive without --traffic",
                expected="a local folder for the segments being written",
                fix="Add --traffic DIR.",
            )
        if self.retain is not None and (self.traffic is None or self.traffic_archive is not None):
            raise BadInput(
                "What a log keeps is for a log on this machine.",
                got="--retain with --traffic-archive" if self.traffic_archive else "--retain without --traffic",
                expected="--traffic DIR without an archive",
                fix="Let the archive's store delete old files by a rule of its own, or leave --retain out.",
            )
        policy = SegmentPolicy(
            sync=Sync(self.log_sync),
            sync_every=timedelta(seconds=self.log_sync_seconds),
            max_age=parse_duration(self.log_segment_age),
        )
        return TrafficSettings(
            folder=self.traffic,
            policy=policy,
            segment_bytes=self.log_segment_bytes,
            refuses=self.on_log_failure == REFUSE,
            redaction=self._redaction(),
            archive=self.traffic_archive,
            logs_principal=self.log_caller in {"both", "principal"},
            logs_peer=self.log_caller in {"both", "peer"},
            retention=None if self.retain is None else read_retention(self.retain),
        )

    def event_times(self) -> EventTimeRange | None:
        """Which event times clients may give; None for any.

        Raises:
            BadInput: an invalid length.
        """
        if self.any_event_time:
            return None
        before, after = (parse_duration(length) // timedelta(microseconds=1) for length in self.event_time_range)
        return EventTimeRange(before_us=before, after_us=after)

    def _redaction(self) -> Redaction | None:
        if not self.redact and not self.hashes:
            return None

        key = read_hash_key(self.hash_key_file) if self.hashes else b""
        return Redaction(dropped=frozenset(self.redact), hashed=frozenset(self.hashes), key=key)


def read_hash_key(file: Path | None) -> bytes:
    """Read the key of --hash.

    Args:
        file: file with the key; None for the variable PITFALLS_HASH_KEY.

    Returns:
        The key without surrounding whitespace; empty if there is none.

    Raises:
        BadInput: the file cannot be read.
    """
    if file is None:
        return os.environ.get(HASH_KEY_VARIABLE, "").strip().encode()
    try:
        return file.read_bytes().strip()
    except OSError as error:
        raise BadInput(
            "The key of --hash cannot be read.",
            got=f"{file}: {error.strerror}",
            expected="a file with the key",
            fix=f"Check the path, or set {HASH_KEY_VARIABLE}.",
        ) from error


traffic_flags = option_group(
    "traffic",
    TrafficFlags,
    (
        click.option(
            "--traffic", type=click.Path(path_type=Path), help="Folder of the traffic log.  [default: no log]"
        ),
        click.option(
            "--traffic-archive", metavar="URL", help="Move closed segments there: file, s3 or any other fsspec URL."
        ),
        click.option(
            "--retain",
            metavar="90d|500GB",
            help="Delete rows of the log after this time, or the oldest beyond this size.  [default: keep all]",
        ),
        click.option(
            "--log-sync",
            type=click.Choice(["always", "interval", "never"]),
            default="interval",
            show_default=True,
            help="When the log is synced to disk.",
        ),
        click.option(
            "--log-sync-seconds",
            type=click.FloatRange(0.01),
            default=1.0,
            show_default=True,
            help="The interval of --log-sync interval.",
        ),
        click.option(
            "--on-log-failure",
            type=click.Choice([SERVE, REFUSE]),
            default=SERVE,
            show_default=True,
            help="Whether predictions that cannot be logged are sent.",
        ),
        click.option(
            "--log-segment-bytes",
            type=click.IntRange(1024),
            default=64 << 20,
            show_default=True,
            help="Close a segment at this size.",
        ),
        click.option(
            "--log-segment-age", metavar="LENGTH", default="1h", show_default=True, help="Close a segment at this age."
        ),
        click.option(
            "--event-time-range",
            metavar="BEFORE AFTER",
            nargs=2,
            default=("400d", "1d"),
            show_default=True,
            help="How long before and after its arrival an event time may lie; other rows go into quarantine.",
        ),
        click.option("--any-event-time", is_flag=True, help="Take any event time, to replay old rows."),
        click.option(
            "--redact", multiple=True, metavar="NAME", help="Leave this tensor or tf.Example feature out of the log."
        ),
        click.option(
            "--hash", "hashes", multiple=True, metavar="NAME", help="Log a keyed hash of this tensor's values."
        ),
        click.option(
            "--hash-key-file",
            type=click.Path(path_type=Path),
            help=f"File with the key of --hash.  [default: {HASH_KEY_VARIABLE}]",
        ),
        click.option(
            "--log-caller",
            type=click.Choice(["both", "principal", "peer", "none"]),
            default="both",
            show_default=True,
            help="What the log keeps of who asks: the name of a token or certificate, the address, or both.",
        ),
    ),
)
