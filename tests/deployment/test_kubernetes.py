"""The manifests: valid by Kubernetes' own schemas, whole, without rights and without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.config import MAX_BODY_BYTES, SETTINGS, Config
from tests.deployment.conftest import NEEDS_TOOLS, told
from tests.docs.conftest import PROJECT

FOLDER = PROJECT / "deploy" / "kubernetes"
# The newest, and the oldest in which all that is used is stable.
VERSIONS = ("1.37", "1.30")
# May only come from a Secret.
SECRET = ("CARD_SECRET", "FEEDBACK_DB", "JTI_STORE")
# gunicorn's: how long what is being answered may take at a stop.
GRACEFUL = 30


def read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return content


LISTED = read("kustomization.yaml")["resources"]
PROXY_FILE = "proxy-configmap.yaml"
OBJECTS = {content["kind"]: content for content in map(read, LISTED) if content != read(PROXY_FILE)}
DEPLOYMENT, JOB = OBJECTS["Deployment"], OBJECTS["Job"]
PODS = pytest.mark.parametrize("pod", [DEPLOYMENT["spec"]["template"], JOB["spec"]["template"]],
                               ids=["server", "migration"])  # fmt: skip


def test_the_list_and_the_folder_are_the_same() -> None:
    files = {path.name for path in FOLDER.iterdir()} - {"kustomization.yaml", "README.md"}
    assert sorted(LISTED) == sorted(files)
    assert set(OBJECTS) == {
        "Namespace", "ServiceAccount", "ConfigMap", "Job", "Deployment", "Service", "Ingress",
        "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy",
    }  # fmt: skip


@NEEDS_TOOLS
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", LISTED)
def test_kubernetes_knows_every_member(name: str, version: str) -> None:
    done = told("kubernetes-validate", "--strict", "--kubernetes-version", version, FOLDER / name)
    assert done.returncode == 0, done.stdout + done.stderr


@NEEDS_TOOLS
def test_a_member_that_is_written_wrong_is_found(tmp_path: Path) -> None:
    text = (FOLDER / "deployment.yaml").read_text(encoding="utf-8")
    wrong = tmp_path / "deployment.yaml"
    wrong.write_text(text.replace("readOnlyRootFilesystem", "readonlyRootFilesystem"))
    assert told("kubernetes-validate", "--strict", wrong).returncode != 0


def containers(pod: dict[str, Any]) -> Iterator[dict[str, Any]]:
    spec = pod["spec"]
    yield from (*spec.get("initContainers", ()), *spec["containers"])


@PODS
def test_nothing_runs_with_rights(pod: dict[str, Any]) -> None:
    spec = pod["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["serviceAccountName"] == OBJECTS["ServiceAccount"]["metadata"]["name"]
    assert (spec["securityContext"]["runAsNonRoot"], spec["securityContext"]["runAsUser"]) == (True, 10001)
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
    for container in containers(pod):
        limits = container["securityContext"]
        assert limits["allowPrivilegeEscalation"] is False
        assert limits["readOnlyRootFilesystem"] is True
        assert limits["capabilities"] == {"drop": ["ALL"]}
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert "memory" in container["resources"]["limits"]
        # Python and gunicorn need a folder to write to, HAProxy does not.
        folders = [mount["mountPath"] for mount in container["volumeMounts"]]
        assert container["name"] == "proxy" or "/tmp" in folders  # noqa: S108
    assert not [volume for volume in spec["volumes"] if "hostPath" in volume]


def test_the_user_is_that_of_the_image() -> None:
    assert "USER 10001:10001" in (PROJECT / "Dockerfile").read_text(encoding="utf-8")


@PODS
def test_secrets_are_only_named(pod: dict[str, Any]) -> None:
    assert "Secret" not in OBJECTS
    assert not set(SECRET) & set(OBJECTS["ConfigMap"]["data"])
    for container in containers(pod):
        for variable in container["env"]:
            if variable["name"] in SECRET:
                assert set(variable["valueFrom"]) == {"secretKeyRef"}


def settings(pod: dict[str, Any], tmp_path: Path) -> dict[str, str]:
    """What the container of that pod finds in its environment; the files that it names are empty ones."""
    container = next(containers(pod))
    # As the Dockerfile says.
    found = {"HOST": "0.0.0.0", "PORT": "8000"}  # noqa: S104
    if container.get("envFrom"):
        found |= {name: value for name, value in OBJECTS["ConfigMap"]["data"].items() if name.isupper()}
    for variable in container["env"]:
        found[variable["name"]] = variable.get("value", "")
    stores = {"FEEDBACK_DB": "postgresql://u:p@postgres/cds", "JTI_STORE": "redis://:p@redis:6379/0"}
    found |= {name: url for name, url in stores.items() if name in found}
    mounted = [mount["mountPath"] for mount in container["volumeMounts"]]
    for name, value in found.items():
        if value.startswith("/"):
            assert value.rpartition("/")[0] in mounted, f"{name} is in no volume"
            file = tmp_path / name
            file.write_text("0123456789" * 4)
            found[name] = str(file)
    return found


@PODS
def test_the_service_takes_the_settings(pod: dict[str, Any], tmp_path: Path) -> None:
    found = settings(pod, tmp_path)
    assert set(found) <= set(SETTINGS)
    Config.from_environ(found)


def test_the_files_that_are_mounted_are_those_that_are_named() -> None:
    spec = DEPLOYMENT["spec"]["template"]["spec"]
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]}
    data = OBJECTS["ConfigMap"]["data"]
    there = {
        f"{mounts[name]}/{item['path']}"
        for name, kind in (("issuers", "configMap"), ("secrets", "secret"))
        for item in volumes[name][kind]["items"]
    }
    named = {data[name] for name in ("CDS_TRUSTED_ISSUERS", "CARD_SECRET_FILE", "ADMIN_TOKEN_FILE")}
    assert there == named


def test_the_proxy_of_a_pod_is_the_one_of_the_other_deployments() -> None:
    text = (PROJECT / "deploy" / "haproxy.cfg").read_text(encoding="utf-8")
    assert read(PROXY_FILE)["data"] == {"haproxy.cfg": text}
    server, proxy = containers(DEPLOYMENT["spec"]["template"])
    (volume,) = proxy["volumeMounts"]
    volumes = {one["name"]: one for one in DEPLOYMENT["spec"]["template"]["spec"]["volumes"]}
    assert volumes[volume["name"]]["configMap"]["name"] == read(PROXY_FILE)["metadata"]["name"]
    given = {one["name"]: one["value"] for one in proxy["env"]}
    needed = set(re.findall(r'"\$\{([A-Z0-9_]+)(?:\[\*\])?\}"', text))
    # Plain HTTP and one replica.
    assert needed - set(given) == {"CERTIFICATE", "REPLICA_2", "REPLICA_3"}
    (port,) = server["ports"]
    assert given["REPLICA_1"] == f"127.0.0.1:{port['containerPort']}"
    workers = int(OBJECTS["ConfigMap"]["data"]["WEB_CONCURRENCY"])
    assert given["CONNECTIONS"] == str(2 * workers)
    assert given["MAX_BODY_BYTES"] == str(MAX_BODY_BYTES)


def test_selectors_and_names_meet() -> None:
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
    budget, policy = OBJECTS["PodDisruptionBudget"]["spec"], OBJECTS["NetworkPolicy"]["spec"]
    for selector in (
        DEPLOYMENT["spec"]["selector"]["matchLabels"],
        OBJECTS["Service"]["spec"]["selector"],
        budget["selector"]["matchLabels"],
        policy["podSelector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()
    # The Job is in the policy, and is no server.
    job = JOB["spec"]["template"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"].items() <= job.items()
    assert not OBJECTS["Service"]["spec"]["selector"].items() <= job.items()
    scaled = OBJECTS["HorizontalPodAutoscaler"]["spec"]
    assert scaled["scaleTargetRef"]["name"] == DEPLOYMENT["metadata"]["name"]
    assert "replicas" not in DEPLOYMENT["spec"]
    assert scaled["minReplicas"] >= 3 > budget["maxUnavailable"]
    container, proxy = containers(DEPLOYMENT["spec"]["template"])
    (port,), (front,) = container["ports"], proxy["ports"]
    assert OBJECTS["Service"]["spec"]["ports"][0]["targetPort"] == front["name"]
    assert [rule["ports"][0]["port"] for rule in policy["ingress"]] == [
        front["containerPort"],
        port["containerPort"],
    ]
    assert container["image"] == next(containers(JOB["spec"]["template"]))["image"]
    assert [image["name"] for image in read("kustomization.yaml")["images"]] == [container["image"]]


def test_probes_ask_what_there_is_and_a_stop_is_waited_for() -> None:
    spec = DEPLOYMENT["spec"]["template"]["spec"]
    container, proxy = containers(DEPLOYMENT["spec"]["template"])
    assert proxy["lifecycle"] == container["lifecycle"]
    paths = {
        kind: container[kind]["httpGet"]["path"]
        for kind in ("startupProbe", "readinessProbe", "livenessProbe")
    }
    assert paths == {"startupProbe": "/healthz", "readinessProbe": "/readyz", "livenessProbe": "/healthz"}
    _, seconds = container["lifecycle"]["preStop"]["exec"]["command"]
    ready = container["readinessProbe"]
    assert spec["terminationGracePeriodSeconds"] > int(seconds) + GRACEFUL
    assert ready["failureThreshold"] * ready["periodSeconds"] <= int(seconds)
    assert DEPLOYMENT["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


def test_replicas_are_spread() -> None:
    spread = DEPLOYMENT["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert {one["topologyKey"] for one in spread} == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
