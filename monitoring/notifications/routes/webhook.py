"""The webhook route: a JSON document, signed as Standard Webhooks says."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from monitoring.errors import BadInput
from monitoring.notifications.digest import Message
from monitoring.notifications.routes.request import RouteRequest, json_request

_PREFIX = "whsec_"
_KEY_BYTES = (24, 64)


def webhook_request(message: Message, *, url: str, secret: str | None, at: datetime) -> RouteRequest:
    """The POST of a message.

    Args:
        secret: Signs the POST: one secret or, while they are changed, several with spaces between; None: no signature.

    Raises:
        BadInput: The secret is not one.
    """
    request = json_request(url, message.document.plain())
    if secret is None:
        return request
    headers = signature_headers(message.event, request.body, secret=secret, at=at)
    return RouteRequest(url=url, body=request.body, headers=headers)


def signature_headers(event: str, body: bytes, *, secret: str, at: datetime) -> Mapping[str, str]:
    """The three headers of Standard Webhooks: HMAC-SHA256 over id, time and body.

    Args:
        event: Identifies what is sent; the id in the header is made of it, and is the same when it is sent again.
        secret: `whsec_` and 24 to 64 bytes in base64; several with spaces between.

    Raises:
        BadInput: The secret is of another form.
    """
    identity, seconds = f"msg_{hashlib.sha256(event.encode()).hexdigest()[:32]}", str(int(at.timestamp()))
    signed = b".".join((identity.encode(), seconds.encode(), body))
    signatures = [hmac.digest(_key(key), signed, "sha256") for key in secret.split()]
    return {
        "webhook-id": identity,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(signature).decode()}" for signature in signatures),
    }


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    low, high = _KEY_BYTES
    if not low <= len(key) <= high:
        raise BadInput(
            "The secret of a webhook cannot be used.",
            got="a text of another form",
            expected=f"whsec_ and {low} to {high} bytes in base64",
            fix='Make one, for example: echo "whsec_$(openssl rand -base64 32)"',
        )
    return key
