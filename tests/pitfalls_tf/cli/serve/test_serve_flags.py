from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from monitoring.errors import BadInput
from pitfalls_tf.cli.serve import IGNORED, REFUSED, check_unsupported, exposure_lines
from pitfalls_tf.cli.serve.access_flags import AccessFlags

ACCESS = AccessFlags(
    rest_tls=False,
    token_file=None,
    require_token=(),
    audit_log=None,
    allow_reload=False,
    model_roots=(),
    log_roots=(),
    allowed_operations=(),
    allow_any_op=False,
    op_libraries=(),
)


@pytest.mark.parametrize(
    ("host", "required", "told"),
    [
        ("0.0.0.0", (), True),  # noqa: S104 - a text
        ("192.0.2.7", ("metrics",), True),
        ("monitor.example", (), True),
        ("0.0.0.0", ("predict",), False),  # noqa: S104 - a text
        ("127.0.0.1", (), False),
        ("::1", (), False),
        ("localhost", (), False),
    ],
)
def test_a_server_that_everybody_may_ask_says_so(host: str, required: tuple[str, ...], told: bool) -> None:
    lines = list(exposure_lines(host, replace(ACCESS, require_token=required), None, verified=False))
    assert [line.startswith(f"Whoever reaches {host} may ask for predictions") for line in lines] == [True] * told


def test_certificates_of_clients_on_both_interfaces_are_enough() -> None:
    both = replace(ACCESS, rest_tls=True)
    assert not list(exposure_lines("192.0.2.7", both, None, verified=True))
    assert list(exposure_lines("192.0.2.7", ACCESS, None, verified=True))


@pytest.mark.parametrize(("mode", "told"), [(0o600, 0), (0o440, 0), (0o644, 1), (0o660, 1)])
def test_a_key_that_others_may_read_is_told(tmp_path: Path, mode: int, told: int) -> None:
    file = tmp_path / "ssl.config"
    file.write_text("server_key: ''")
    file.chmod(mode)
    lines = list(exposure_lines("127.0.0.1", ACCESS, file, verified=False))
    assert [f"chmod 600 {file}" in line for line in lines] == [True] * told


@pytest.mark.parametrize("name", REFUSED)
def test_a_missing_feature_is_refused_with_its_reason(name: str) -> None:
    reason, fix = REFUSED[name]
    with pytest.raises(BadInput) as caught:
        check_unsupported({name: "true"})
    assert reason in str(caught.value)
    assert fix in str(caught.value)
    assert check_unsupported({name: "false"}) == ()


def test_a_tuning_flag_is_accepted_with_a_line() -> None:
    assert len(check_unsupported(dict.fromkeys(IGNORED, "1"))) == len(IGNORED)
