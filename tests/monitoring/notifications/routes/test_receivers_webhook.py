from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest

from monitoring.errors import BadInput
from monitoring.notifications.routes.receivers import signature_headers, webhook_request
from tests.monitoring.notifications.receivers import APRIL, OPENED

KEY = bytes(range(32))
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"


def test_the_body_is_the_document() -> None:
    request = webhook_request(OPENED, url="https://h/x", secret=None, at=APRIL)
    assert (json.loads(request.body), dict(request.headers)) == (OPENED.document.plain(), {})


def test_the_signature_is_that_of_the_specification() -> None:
    headers = webhook_request(OPENED, url="https://h/x", secret=SECRET, at=APRIL).headers
    body = webhook_request(OPENED, url="https://h/x", secret=SECRET, at=APRIL).body.decode()
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
    expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-timestamp"] == str(int(APRIL.timestamp()))


def test_the_specifications_own_example_is_signed_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example of the specification, whose id is given."""

    class Fixed:
        def hexdigest(self) -> str:
            return "p5jXN8AQM9LWM0D4loKWxJek"

    monkeypatch.setattr("monitoring.notifications.routes.receivers.hashlib.sha256", lambda _: Fixed())
    at = APRIL.fromtimestamp(1614265330, tz=APRIL.tzinfo)
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = signature_headers("any", b'{"test": 2432232314}', secret=secret, at=at)
    assert headers["webhook-id"] == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_id_is_the_same_when_it_is_sent_again_and_the_time_is_not() -> None:
    first = signature_headers("e", b"{}", secret=SECRET, at=APRIL)
    later = signature_headers("e", b"{}", secret=SECRET, at=APRIL.replace(hour=5))
    other = signature_headers("f", b"{}", secret=SECRET, at=APRIL)
    assert first["webhook-id"] == later["webhook-id"] != other["webhook-id"]
    assert first["webhook-timestamp"] != later["webhook-timestamp"]


def test_while_secrets_are_changed_both_sign() -> None:
    other = f"whsec_{base64.b64encode(bytes(24)).decode()}"
    both = signature_headers("e", b"{}", secret=f"{SECRET} {other}", at=APRIL)["webhook-signature"]
    each = [signature_headers("e", b"{}", secret=one, at=APRIL)["webhook-signature"] for one in (SECRET, other)]
    assert both.split() == each


@pytest.mark.parametrize("secret", ["whsec_abc", "not base64!", f"whsec_{base64.b64encode(bytes(8)).decode()}"])
def test_what_is_no_secret_is_refused_and_not_quoted(secret: str) -> None:
    with pytest.raises(BadInput, match="24 to 64 bytes") as caught:
        signature_headers("e", b"{}", secret=secret, at=APRIL)
    assert secret not in str(caught.value)
