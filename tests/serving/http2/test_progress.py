"""How much moved between two checks."""

from __future__ import annotations

from serving.http2.connection_settings import ConnectionSettings
from serving.http2.progress import Progress

SETTINGS = ConnectionSettings(idle_s=60.0, stall_s=30.0, bytes_per_s=100.0)


def test_bytes_count_when_they_have_left_the_socket_s_buffer() -> None:
    progress = Progress(SETTINGS, 0.0)
    assert progress.check(10.0, sent_bytes=5000, unsent_bytes=4500) == (500, 1000.0)
    assert progress.check(20.0, sent_bytes=5000, unsent_bytes=3500) == (1000, 1000.0)
    assert progress.check(30.0, sent_bytes=5000, unsent_bytes=3500).is_too_slow


def test_checks_come_as_often_as_the_shortest_time() -> None:
    assert Progress(SETTINGS, 0.0).every_s == 30.0
    often = ConnectionSettings(idle_s=60.0, stall_s=30.0, keepalive_s=40.0, keepalive_timeout_s=5.0, age_s=100.0)
    assert Progress(often, 0.0).every_s == 5.0
