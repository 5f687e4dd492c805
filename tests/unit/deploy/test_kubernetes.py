"""The Kubernetes manifests: valid by the API's own schemas, one Deployment for each process, each with no more than it needs."""

import runpy
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from services.cli.up import SERVICES
from shared.access.secret_table import OPTIONAL, PARTYS, READS, reads
from shared.mongo_access.plan import users

ROOT = Path(__file__).parents[3]
BUILD = runpy.run_path(str(ROOT / "deploy" / "k8s" / "build.py"))
OBJECTS = list(yaml.safe_load_all((ROOT / "deploy" / "k8s" / "opposable.yaml").read_text()))
DEPLOYMENTS = {o["metadata"]["name"]: o for o in OBJECTS if o["kind"] == "Deployment"}


def of(kind):
    return {o["metadata"]["name"]: o for o in OBJECTS if o["kind"] == kind}


def test_the_file_is_what_the_table_makes():
    assert (ROOT / "deploy" / "k8s" / "opposable.yaml").read_text() == BUILD["text"](), "python deploy/k8s/build.py"


@pytest.mark.parametrize("document", OBJECTS, ids=lambda o: f"{o['kind']}/{o['metadata']['name']}")
def test_the_api_would_take_it(document):
    kubernetes_validate.validate(document, "1.30", strict=True)


def test_the_schemas_would_refuse_a_wrong_field():
    bent = {**DEPLOYMENTS["collector"], "spec": {**DEPLOYMENTS["collector"]["spec"], "replica": 2}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(bent, "1.30", strict=True)


def test_every_process_of_the_product_is_deployed():
    assert {tuple(d["spec"]["template"]["spec"]["containers"][0]["command"][1:]) for d in DEPLOYMENTS.values()} == {
        spec.command[1:] for spec in SERVICES
    }


@pytest.mark.parametrize("name", sorted(DEPLOYMENTS))
def test_a_pod_has_no_power_and_is_probed(name):
    pod = DEPLOYMENTS[name]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert container["readinessProbe"]["httpGet"]["path"] == "/health/ready"
    assert container["livenessProbe"]["httpGet"]["path"] == "/health/live"
    assert {"requests", "limits"} <= container["resources"].keys()
    assert name in of("NetworkPolicy")
    assert name in of("Service")
    assert (name in of("PodDisruptionBudget")) == (DEPLOYMENTS[name]["spec"]["replicas"] > 1)


def test_each_service_mounts_its_own_secrets_and_the_signing_key_is_the_signers_alone():
    holds = {}
    for name, deployment in DEPLOYMENTS.items():
        volume = next(v for v in deployment["spec"]["template"]["spec"]["volumes"] if v["name"] == "secrets")
        sources = [source["secret"] for source in volume["projected"]["sources"]]
        assert {s["name"] for s in sources} <= {f"{name}-secrets", f"{name}-parties"}
        holds[name] = {item["key"] for s in sources for item in s.get("items", ())}
        assert all(reads(name.replace("-", "_"), file) for file in holds[name])
        required = {item["key"] for s in sources if not s["optional"] for item in s["items"]}
        assert required == {file for file in READS[name.replace("-", "_")] if file not in (*OPTIONAL, PARTYS)}
    assert [name for name, files in holds.items() if "log.seed" in files] == ["signer"]
    assert [name for name, files in holds.items() if "pepper" in files] == ["rights-handler"]
    assert {name for name, files in holds.items() if "kek" in files} == {
        "collector",
        "rights-handler",
        "proof-archive",
        "notifier",
    }
    assert holds["eraser"] == set()


@pytest.mark.parametrize("name", sorted(DEPLOYMENTS))
def test_a_service_is_itself_to_kafka_and_to_mongodb(name):
    (container,) = DEPLOYMENTS[name]["spec"]["template"]["spec"]["containers"]
    said = {one["name"]: one["value"] for one in container["env"]}
    user = f"svc.{name.replace('-', '_')}"
    assert (said["OPPOSABLE_KAFKA_USERNAME"], said["OPPOSABLE_MONGODB_USERNAME"]) == (user, user)
    assert user in users()
    mounted = {
        v["name"]: v["secret"]["secretName"]
        for v in DEPLOYMENTS[name]["spec"]["template"]["spec"]["volumes"]
        if "secret" in v
    }
    assert mounted == {"kafka": f"{name}-kafka", "mongodb": f"{name}-mongodb"}
    assert "@" not in of("ConfigMap")["opposable"]["data"]["MONGODB_URI"], "credentials are files"


def test_two_signers_never_run_and_nobody_is_reached_unless_named():
    signer = DEPLOYMENTS["signer"]["spec"]
    assert (signer["replicas"], signer["strategy"]["type"]) == (1, "Recreate")
    closed = of("NetworkPolicy")["closed"]["spec"]
    assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    outside = {
        n
        for n, p in of("NetworkPolicy").items()
        if any({"port": 443, "protocol": "TCP"} in e.get("ports", ()) for e in p["spec"].get("egress", ()))
    }
    assert outside == {"proof-archive", "signer", "notifier", "webhook-relay"}
