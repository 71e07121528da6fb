"""Paths of the Open Inference Protocol, their methods, and what is not one of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.inference_v2.routes import V2Route, is_v2, read_route
from serving.models.version_folders import LARGEST_VERSION
from serving.status import Failure


@pytest.mark.parametrize(
    ("target", "route", "method"),
    [
        ("/v2", V2Route(page="server"), "GET"),
        ("/v2/", V2Route(page="server"), "GET"),
        ("/v2/health/live?a=1", V2Route(page="live"), "GET"),
        ("/v2/health/ready", V2Route(page="server_ready"), "GET"),
        ("/v2/models", V2Route(page="models"), "GET"),
        ("/v2/repository/index", V2Route(page="index"), "POST"),
        ("/v2/repository/models/m/load", V2Route(page="load", model="m"), "POST"),
        ("/v2/repository/models/a%2Fb/unload?a", V2Route(page="unload", model="a/b"), "POST"),
        ("/v2/models/stats", V2Route(page="stats"), "GET"),
        ("/v2/models/m/versions/3/stats", V2Route(page="stats", model="m", version=3), "GET"),
        ("/v2/models/m/config", V2Route(page="config", model="m"), "GET"),
        ("/v2/models/m", V2Route(page="metadata", model="m"), "GET"),
        ("/v2/models/m/ready", V2Route(page="ready", model="m"), "GET"),
        ("/v2/models/a%2Fb/versions/3/infer", V2Route(page="infer", model="a/b", version=3), "POST"),
        (
            f"/v2/models/m/versions/{LARGEST_VERSION}",
            V2Route(page="metadata", model="m", version=LARGEST_VERSION),
            "GET",
        ),
    ],
)
def test_a_path_leads_to_a_page_with_one_method(target: str, route: V2Route, method: str) -> None:
    assert is_v2(target)
    found = read_route(target)
    assert found == route
    assert found is not None
    assert found.method == method


@pytest.mark.parametrize(
    "target", ["/v2/other", "/v2/models/", "/v2/Models/m", "/v2/models/m/predict", "/v2/models/a/b/c"]
)
def test_other_paths_of_the_protocol_do_not_exist(target: str) -> None:
    assert is_v2(target)
    assert read_route(target) is None


@pytest.mark.parametrize("target", ["/", "/v1/models", "/v22", "/v2models", "/V2", ""])
def test_paths_of_others(target: str) -> None:
    assert not is_v2(target)


@pytest.mark.parametrize("version", ["x", "-1", "1.0", f"{LARGEST_VERSION + 1}", "9" * 20, "\u00b2"])
def test_a_version_is_a_number_of_64_bits(version: str) -> None:
    with pytest.raises(Failure, match="A version is an integer of at most 64 bits, not"):
        read_route(f"/v2/models/m/versions/{version}")


@given(st.text(max_size=20))
def test_any_path_is_a_route_or_none_or_a_failure(rest: str) -> None:
    try:
        route = read_route(f"/v2/{rest}")
    except Failure:
        return
    assert route is None or route.method in {"GET", "POST"}
