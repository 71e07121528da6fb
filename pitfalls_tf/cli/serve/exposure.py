"""What a server tells at its start of who may reach it, and read its key."""

from __future__ import annotations

import ipaddress
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pitfalls_tf.cli.serve.access_flags import AccessFlags


def exposure_lines(host: str, access: AccessFlags, ssl_config_file: Path | None, *, verified: bool) -> Iterator[str]:
    """What an operator may not have meant.

    Args:
        access: Who may ask for what.
        ssl_config_file: TensorFlow Serving's file with the key, if there is one.
        verified: Whether gRPC clients must have a certificate.

    Yields:
        A sentence for each.
    """
    is_open = "predict" not in access.require_token and not (verified and access.rest_tls)
    if is_open and not _is_local(host):
        yield (
            f"Whoever reaches {host} may ask for predictions: --token-file FILE --require-token predict asks for a "
            "token, and --host 127.0.0.1 is reached from this machine alone."
        )
    if ssl_config_file is not None and (mode := stat.S_IMODE(ssl_config_file.stat().st_mode)) & 0o037:
        yield f"Others may read the key in {ssl_config_file}: mode {mode:04o}. chmod 600 {ssl_config_file}"


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
