from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from monitoring.config.routes import ROUTES, AppriseRoute, CommandRoute, EmailRoute, PagerDutyRoute, WebhookRoute
from tests.monitoring.config.configs import LEAST, load, problems

EMAIL = 'route = "email"\nhost = "smtp.example.org"\nsender = "m@example.org"\nto = ["o@example.org"]\n'
VALID = {
    "webhook": 'webhook = "https://hooks.example.org/hidden"\n',
    "slack": 'route = "slack"\nwebhook_file = "secrets/slack"\n',
    "pagerduty": 'route = "pagerduty"\nrouting_key_env = "KEY"\n',
    "alertmanager": 'route = "alertmanager"\nurl = "http://alertmanager:9093/"\n',
    "email": EMAIL,
    "command": 'route = "command"\ncommand = ["bin/notify", "--urgent"]\n',
    "apprise": 'route = "apprise"\nconfig_file = "secrets/apprise.yml"\n',
}


def test_a_section_without_a_route_is_a_webhook_as_ever(tmp_path: Path) -> None:
    (route,) = load(tmp_path, f'{LEAST}[[notify]]\nwebhook = "https://hooks.example.org/hidden"\n').notify
    assert isinstance(route, WebhookRoute)
    assert (route.level, route.states) == ("page", ("open", "worse"))
    assert route.receiver == hashlib.sha256(b"https://hooks.example.org/hidden").hexdigest()
    assert "hidden" not in repr(route) + route.redacted_address


def test_each_route_is_read_with_its_own_keys(tmp_path: Path) -> None:
    text = LEAST + "".join(f"[[notify]]\n{section}" for section in VALID.values())
    routes = load(tmp_path, text).notify
    assert [route.route for route in routes] == list(VALID) == list(ROUTES)
    assert len({route.receiver for route in routes}) == len(routes)
    states = {route.route: route.states for route in routes}
    assert states["slack"] == states["email"] == ("open", "worse")
    assert states["alertmanager"] == ("open", "worse", "closed")
    assert states["pagerduty"] == (*states["alertmanager"], "acknowledged"), "it calls people until somebody answers"
    assert [route.redacted_address for route in routes] == [
        "https://hooks.example.org/…",
        f"slack, webhook of {tmp_path}/secrets/slack",
        "pagerduty, routing key of the variable KEY",
        "alertmanager, http://alertmanager:9093",
        "email to o@example.org by smtp.example.org:587",
        f"command {tmp_path}/bin/notify",
        "apprise apprise.yml",
    ]
    timeouts = [route.timeout for route in routes if isinstance(route, CommandRoute | AppriseRoute)]
    assert timeouts == [timedelta(seconds=10), timedelta(seconds=30)]


def test_what_changes_no_address_changes_no_receiver(tmp_path: Path) -> None:
    more = 'level = "notice"\nstates = ["open", "closed"]\nlink = "https://m/{deployment}"\n'
    for section in VALID.values():
        before, after = load(tmp_path, f"{LEAST}[[notify]]\n{section}[[notify]]\n{section}{more}").notify
        assert before.receiver == after.receiver


@pytest.mark.parametrize(
    ("section", "place", "part"),
    [
        ('route = "slak"\n', "route", "Did you mean slack?"),
        ("route = 3\n", "route", "one of: webhook, slack"),
        (
            'route = "slack"\nwebhook = "https://h/hidden"\n',
            "webhook",
            "one of: incident_url, level, link, route, states, webhook_env",
        ),
        ("level = 'page'\n", "", "one of: webhook, webhook_file, webhook_env"),
        (VALID["webhook"] + 'webhook_env = "X"\n', "", 'Got "webhook, webhook_env"'),
        (VALID["webhook"] + 'secret_env = "X"\nsecret_file = "x"\n', "", 'Got "secret_file, secret_env"'),
        (VALID["webhook"] + 'routing_key_env = "X"\n', "routing_key_env", "a key of the route pagerduty"),
        (VALID["webhook"] + "states = []\n", "states", "at least one"),
        (VALID["webhook"] + 'states = ["opened"]\n', "states 1", "'open', 'worse', 'recovering', 'closed'"),
        (VALID["webhook"] + 'states = ["open", "open"]\n', "states", "each name once"),
        (VALID["webhook"] + 'link = "javascript:hidden"\n', "link", "http:// or https://"),
        (VALID["slack"] + 'webhook_env = "X"\n', "", 'Got "webhook_file, webhook_env"'),
        ('route = "pagerduty"\n', "", "one of: routing_key_file, routing_key_env"),
        ('route = "pagerduty"\nrouting_key = "hidden"\nrouting_key_env = "K"\n', "routing_key", "routing_key_env"),
        (VALID["pagerduty"] + 'states = ["open"]\n', "", "closed too"),
        (VALID["pagerduty"] + 'url = "http://events.example.org/hidden"\n', "url", "https"),
        ('route = "alertmanager"\n', "url", "missing"),
        ('route = "alertmanager"\nurl = "alertmanager:9093"\n', "url", "not the URL of an Alertmanager"),
        ('route = "alertmanager"\nurl = "http://me:hidden@a:9093"\n', "url", "without user and password"),
        (VALID["alertmanager"] + 'token_env = "T"\n', "", "a token is sent encrypted"),
        (EMAIL + 'security = "none"\n', "", "mail is sent encrypted"),
        (EMAIL + 'security = "ssl"\n', "security", "'starttls', 'tls' or 'none'"),
        (EMAIL + 'user = "me"\n', "", "one of: password_file, password_env"),
        (EMAIL + 'password_env = "P"\n', "", "a password needs a user"),
        (EMAIL.replace("m@example.org", "a\\nBcc: x@example.org"), "sender", "NAME@HOST"),
        (EMAIL.replace('["o@example.org"]', "[]"), "to", "at least one"),
        ('route = "command"\ncommand = []\n', "command", "at least one"),
        ('route = "command"\ncommand = [" "]\n', "command", "a program and its arguments"),
        ('route = "command"\ncommand = "rm -rf"\n', "command", "a list"),
        (VALID["command"] + 'timeout = "2m"\n', "timeout", "from 1s to 30s"),
    ],
)
def test_a_wrong_route_is_one_clear_error_without_its_secrets(
    tmp_path: Path, section: str, place: str, part: str
) -> None:
    (line,) = problems(tmp_path, f"{LEAST}[[notify]]\n{section}")
    where = f"[[notify]] 1 {place}".rstrip()
    assert f", {where}: " in line
    assert part in line
    assert "hidden" not in line


def test_mail_in_plain_text_may_stay_on_this_machine(tmp_path: Path) -> None:
    text = EMAIL.replace("smtp.example.org", "localhost") + 'security = "none"\n'
    (route,) = load(tmp_path, f"{LEAST}[[notify]]\n{text}").notify
    assert isinstance(route, EmailRoute)
    (route,) = load(tmp_path, f"{LEAST}[[notify]]\n{VALID['pagerduty']}").notify
    assert isinstance(route, PagerDutyRoute)
    assert route.url == "https://events.pagerduty.com/v2/enqueue"
