"""A metric's code is told apart by its file, without running it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from monitoring.deployment.metrics.metric_file import codes_text, find_metric_file, metric_codes
from tests.monitoring.deployment.metrics.metric_configs import MISSED, config_of


def test_the_digest_is_of_the_file_which_is_not_run(tmp_path: Path) -> None:
    code = "raise SystemExit(9)\n"
    (one,) = metric_codes(config_of(tmp_path, code=code))
    assert (one.name, one.function, one.digest) == ("missed", "own:missed", sha256(code.encode()).hexdigest())
    changed = codes_text(config_of(tmp_path, code=MISSED))
    assert changed != codes_text(config_of(tmp_path, code=code))


def test_modules_are_found_by_package_and_nothing_is_imported(tmp_path: Path) -> None:
    def place(function: str) -> Path | None:
        found = find_metric_file(config_of(tmp_path, function).metric[0])
        return None if found is None else found.path

    assert place("own:missed") == tmp_path / "own.py"
    found = place("email.mime.text:MIMEText")
    assert found is not None
    assert found.parts[-3:] == ("email", "mime", "text.py")
    assert place("nowhere:missed") is place("math:ceil") is place("__main__.x:y") is None
    assert metric_codes(config_of(tmp_path, "nowhere:missed"))[0].digest == ""
