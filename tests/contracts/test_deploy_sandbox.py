"""Every way to deploy the server keeps a model from what it does not need: privileges, disk, network, system calls."""

from __future__ import annotations

import importlib.util
import shutil
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from tests.contracts.test_deploy import documents, kubernetes_accepts, run
from tests.needs import missing

if TYPE_CHECKING:
    from pathlib import Path

PORTS = {8500, 8501}
#: The rating of `systemd-analyze security`, from 0 to 10, times 10.
MOST_EXPOSURE = 15


@pytest.fixture(scope="module")
def unit(root: Path) -> dict[str, list[str]]:
    """The settings of the server's unit, each with its values in their order."""
    settings: dict[str, list[str]] = defaultdict(list)
    for line in (root / "deploy/systemd/pitfalls-serve.service").read_text("utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            settings[name].append(value)
    return settings


def test_the_unit_gives_a_model_its_log_and_two_ports_of_this_machine(unit: dict[str, list[str]]) -> None:
    assert unit["NoNewPrivileges"] == ["true"]
    assert (unit["CapabilityBoundingSet"], unit["AmbientCapabilities"]) == ([""], [""])
    assert unit["ProtectSystem"] == ["strict"]
    assert (unit["StateDirectory"], unit["ReadWritePaths"]) == (["pitfalls/traffic"], []), "models are read-only"
    assert (unit["ProtectHome"], unit["PrivateTmp"], unit["PrivateDevices"]) == (["true"], ["true"], ["true"])
    assert unit["SystemCallFilter"] == ["@system-service", "~@privileged"]
    assert unit["SystemCallArchitectures"] == ["native"]
    assert (unit["IPAddressDeny"], unit["IPAddressAllow"]) == (["any"], ["localhost"])
    assert unit["SocketBindDeny"] == ["any"]
    assert {int(value.removeprefix("tcp:")) for value in unit["SocketBindAllow"]} == PORTS
    assert "AF_PACKET" not in unit["RestrictAddressFamilies"][0].split()


def test_systemd_rates_the_unit_as_hardly_exposed(root: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        missing("systemd-analyze is not installed (apt-get install systemd)")
    file = root / "deploy/systemd/pitfalls-serve.service"
    run("systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSURE}", file)


def assert_hardened(pod: dict[str, Any], container: dict[str, Any]) -> None:
    security = container["securityContext"]
    profile = security.get("seccompProfile") or pod["securityContext"]["seccompProfile"]
    assert profile == {"type": "RuntimeDefault"}
    assert (security["readOnlyRootFilesystem"], security["allowPrivilegeEscalation"]) == (True, False)
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert "privileged" not in security
    assert not any(pod.get(name) for name in ("hostNetwork", "hostPID", "hostIPC"))
    assert not any("hostPath" in volume for volume in pod["volumes"])


def assert_closed(policy: dict[str, Any], deployment: dict[str, Any]) -> None:
    """Only the ports of the deployment's pods are reached, and these reach nothing."""
    labels, pod = deployment["spec"]["template"]["metadata"]["labels"], deployment["spec"]["template"]["spec"]
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert policy["spec"]["egress"] == []
    (rule,) = policy["spec"]["ingress"]
    named = {port["name"]: port["containerPort"] for port in pod["containers"][0]["ports"]}
    assert {named[port["port"]] for port in rule["ports"]} == set(named.values()) == PORTS


def test_kubernetes_isolates_the_servers_pod(root: Path) -> None:
    by_kind = {each["kind"]: each for each in documents(root / "deploy/serving/kubernetes.yaml")}
    pod = by_kind["Deployment"]["spec"]["template"]["spec"]
    assert_hardened(pod, pod["containers"][0])
    assert_closed(by_kind["NetworkPolicy"], by_kind["Deployment"])
    if importlib.util.find_spec("kubernetes_validate") is not None:
        kubernetes_accepts(by_kind["NetworkPolicy"])


def test_kserve_isolates_the_container_that_serves(root: Path) -> None:
    spec = documents(root / "deploy/serving/kserve.yaml")[0]["spec"]
    assert_hardened(spec, spec["containers"][0])
    assert spec["containers"][0]["securityContext"]["runAsNonRoot"] is True


def test_the_chart_has_the_same_policy_and_opens_only_what_is_given(root: Path) -> None:
    chart = root / "deploy/helm/pitfalls"
    template = (chart / "templates/server.yaml").read_text("utf-8").partition("kind: NetworkPolicy")[2]
    assert "toYaml .Values.server.egress" in template
    assert "policyTypes: [Ingress, Egress]" in template
    assert documents(chart / "values.yaml")[0]["server"]["egress"] == []


def test_compose_and_the_documented_command_isolate_the_container(root: Path) -> None:
    server = documents(root / "deploy/monitor/compose.yaml")[0]["services"]["server"]
    assert (server["read_only"], server["cap_drop"]) == (True, ["ALL"])
    assert server["security_opt"] == ["no-new-privileges:true"], "and no seccomp=unconfined"
    assert all(port.startswith("127.0.0.1:") for port in server["ports"])
    assert "./models:/models:ro" in server["volumes"]
    assert not server.get("privileged")
    for path in ("docs/deploy.md", "deploy/serving/Containerfile"):
        command = (root / path).read_text("utf-8").partition("podman run")[2].partition("pitfalls-serve")[0]
        for flag in ("--read-only", "--cap-drop all", "--security-opt no-new-privileges", "/models:ro"):
            assert flag in command, path
