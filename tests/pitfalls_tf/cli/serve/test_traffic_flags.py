"""Flags of the traffic log and of labels."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click
import pytest

from monitoring.errors import BadInput
from pitfalls_tf.cli.serve.traffic_flags import HASH_KEY_VARIABLE, TrafficFlags, read_hash_key, traffic_flags


def parse(*arguments: str) -> TrafficFlags:
    """The flags of a command line."""
    parsed: list[TrafficFlags] = []

    @click.command()
    @traffic_flags
    def verb(traffic: TrafficFlags) -> int:
        parsed.append(traffic)
        return 0

    verb.main(list(arguments), standalone_mode=False)
    return parsed[0]


def test_without_flags_there_is_no_log() -> None:
    settings = parse().settings()
    assert (settings.folder, settings.archive, settings.redaction) == (None, None, None)
    assert not settings.refuses


def test_flags_become_settings(tmp_path: Path) -> None:
    settings = parse(
        f"--traffic={tmp_path}",
        "--traffic-archive=s3://bucket/traffic",
        "--log-sync-seconds=5",
        "--on-log-failure=refuse",
        "--log-segment-bytes=4096",
        "--log-segment-age=15m",
        "--redact=name",
    ).settings()
    assert (settings.folder, settings.archive) == (tmp_path, "s3://bucket/traffic")
    assert (settings.refuses, settings.segment_bytes) == (True, 4096)
    assert settings.policy.max_age == timedelta(minutes=15)
    assert settings.redaction is not None
    assert settings.redaction.dropped == {"name"}


def test_an_archive_without_a_log_is_refused() -> None:
    with pytest.raises(BadInput, match="An archive needs a traffic log"):
        parse("--traffic-archive=s3://bucket/traffic").settings()


def test_the_hash_key_comes_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HASH_KEY_VARIABLE, " from the environment ")
    assert read_hash_key(None) == b"from the environment"
    (tmp_path / "key").write_bytes(b"from a file\n")
    assert read_hash_key(tmp_path / "key") == b"from a file"
    monkeypatch.delenv(HASH_KEY_VARIABLE)
    assert read_hash_key(None) == b""
    with pytest.raises(BadInput, match="key of --hash cannot be read"):
        read_hash_key(tmp_path / "none")
