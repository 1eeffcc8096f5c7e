"""Deployment manifests: valid for Kubernetes, with the Ray settings of the experiments."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.system.scale import nodes

MANIFESTS = Path(__file__).parents[2] / "deploy" / "kubernetes"
NEWEST = kubernetes_validate.latest_version()


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((MANIFESTS / name).read_text()))


def pod_of_the_site() -> dict[str, Any]:
    pod: dict[str, Any] = documents("site.yaml")[0]["spec"]["template"]["spec"]
    return pod


def pods() -> list[dict[str, Any]]:
    """Return the pods of the Ray cluster as PodTemplates, because Kubernetes has no schema of RayService."""
    cluster = documents("model.yaml")[0]["spec"]["rayClusterConfig"]
    return [
        {
            "apiVersion": "v1",
            "kind": "PodTemplate",
            "metadata": {"name": group.get("groupName", "head")},
            "template": group["template"],
        }
        for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])
    ]


@pytest.mark.parametrize("document", documents("site.yaml"), ids=lambda document: document["kind"])
def test_site_manifest_is_valid(document: dict[str, Any]) -> None:
    kubernetes_validate.validate(document, NEWEST, strict=True)


@pytest.mark.parametrize("pod", pods(), ids=lambda pod: pod["metadata"]["name"])
def test_pods_of_the_model_server_are_valid(pod: dict[str, Any]) -> None:
    kubernetes_validate.validate(pod, NEWEST, strict=True)


def test_misspelt_field_is_invalid() -> None:
    document = documents("site.yaml")[0]
    document["spec"]["replicants"] = 2
    with pytest.raises(kubernetes_validate.ValidationError, match="replicants"):
        kubernetes_validate.validate(document, NEWEST, strict=True)


def test_site_has_the_address_of_the_model_server() -> None:
    # KubeRay names the service after the RayService.
    service = documents("model.yaml")[0]["metadata"]["name"]
    assert f"http://{service}-serve-svc:8000" in (MANIFESTS / "site.yaml").read_text()


def test_ray_application_equals_the_compose_deployment() -> None:
    kubernetes = yaml.safe_load(documents("model.yaml")[0]["spec"]["serveConfigV2"])
    compose = yaml.safe_load((MANIFESTS.parent / "model-server.yaml").read_text())
    for field in ("name", "route_prefix", "import_path"):
        assert kubernetes["applications"][0][field] == compose["applications"][0][field]


@pytest.mark.parametrize("service", ["head", "reader"])
def test_containers_have_the_ray_settings_of_the_experiment(service: str, tmp_path: Path) -> None:
    container = yaml.safe_load((MANIFESTS.parent / "machines.yml").read_text())["services"][service]
    experiment = nodes.environment(tmp_path)
    configured = {name: text for name, text in container["environment"].items() if "${" not in text}
    assert configured.items() <= experiment.items()
    assert {"RAY_AUTH_MODE", "RAY_health_check_timeout_ms"} <= configured.keys()
    head, *readers = nodes.machines(tmp_path, "password")
    command = head.command if service == "head" else readers[0].command
    options = {option.partition("=")[0] for option in container["command"] if option.startswith("--")}
    assert options <= set(command)


def test_site_stays_in_service_without_its_database() -> None:
    (container,) = pod_of_the_site()["containers"]
    assert container["startupProbe"]["httpGet"]["path"] == "/readyz"
    for probe in ("readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["path"] == "/healthz"


def test_migration_is_ended_by_no_probe() -> None:
    (first,) = pod_of_the_site()["initContainers"]
    assert first["command"] == ["mnistweb", "migrate"]
    assert not {"startupProbe", "livenessProbe"} & first.keys()


def test_autoscaler_alone_sets_the_number_of_replicas() -> None:
    assert "replicas" not in documents("site.yaml")[0]["spec"]


def test_running_requests_are_finished_before_a_stop() -> None:
    longest = 18 + 1  # seconds: MODEL_TIMEOUT at most, and one (gunicorn.conf.py)
    pod = pod_of_the_site()
    (seconds,) = (int(word) for word in pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1:])
    assert pod["terminationGracePeriodSeconds"] > seconds + longest
    services = yaml.safe_load((MANIFESTS.parents[1] / "docker-compose.yml").read_text())["services"]
    grace = {name: int(services[name]["stop_grace_period"].removesuffix("s")) for name in ("web", "caddy")}
    (proxy,) = re.findall(r"grace_period (\d+)s", (MANIFESTS.parent / "Caddyfile").read_text())
    assert longest < grace["web"]
    assert longest < int(proxy) < grace["caddy"]
