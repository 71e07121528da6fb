from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from monitoring.dashboard.access.access import COOKIE
from monitoring.dashboard.access.tokens import digest_of
from monitoring.dashboard.web.app import Guard
from tests.dashboard_access import access_with

ACCESS = access_with({"secret": "act", "reader": "read"})


async def hello(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


@pytest.fixture
def client() -> TestClient:
    paths = ("/", "/sign-in", "/static/x", "/sign-in-not")
    app = Starlette(routes=[Route(path, hello, methods=["GET", "POST"]) for path in paths])
    return TestClient(Guard(app, ACCESS), follow_redirects=False)


@pytest.mark.parametrize(("path", "code"), [("/", 401), ("/sign-in", 200), ("/static/x", 200)])
def test_without_the_token_only_the_way_in_is_open(client: TestClient, path: str, code: int) -> None:
    assert client.get(path).status_code == code


def test_a_browser_is_led_to_the_form(client: TestClient) -> None:
    answer = client.get("/", headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_the_cookie_and_the_header_open_the_door(client: TestClient) -> None:
    assert client.get("/", headers={"authorization": "Bearer secret"}).text == "hello"
    assert client.get("/", headers={"cookie": f"{COOKIE}={ACCESS.sessions.begin(digest_of('secret'))}"}).text == "hello"
    assert client.get("/", headers={"cookie": f"{COOKIE}=secret"}).status_code == 401
    assert client.get("/", headers={"cookie": 'a="'}).status_code == 401


def test_a_wrong_token_is_answered_as_one(client: TestClient) -> None:
    before = ACCESS.wrong_tokens.count
    answer = client.get("/", headers={"authorization": "Bearer secre"})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer realm=pitfalls")
    assert ACCESS.wrong_tokens.count == before + 1
    assert client.get("/", headers={"authorization": "Bearer"}).text == "The token is missing.\n"


def test_a_reader_reads_and_changes_nothing(client: TestClient) -> None:
    headers = {"authorization": "Bearer reader"}
    assert client.get("/", headers=headers).text == "hello"
    refused = client.post("/", headers=headers)
    assert (refused.status_code, "may read" in refused.text) == (403, True)
    assert client.post("/sign-in", headers=headers).text == "hello"
    assert client.post("/", headers={"authorization": "Bearer secret"}).text == "hello"


@pytest.mark.parametrize(
    ("headers", "method", "code"),
    [
        ({"host": "evil.example"}, "GET", 421),
        ({"sec-fetch-site": "cross-site"}, "POST", 403),
        ({"sec-fetch-site": "cross-site"}, "GET", 403),
        ({}, "PUT", 405),
    ],
)
def test_every_answer_has_the_policy(client: TestClient, headers: dict[str, str], method: str, code: int) -> None:
    answer = client.request(method, "/", headers={"authorization": "Bearer secret", **headers})
    assert answer.status_code == code
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert (answer.headers["x-content-type-options"], answer.headers["cache-control"]) == ("nosniff", "no-store")
