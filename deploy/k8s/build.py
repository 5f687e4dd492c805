"""Writes `opposable.yaml` beside this file: the services on Kubernetes, from one table of what each needs.

    python deploy/k8s/build.py            # writes it
    kubectl apply -f deploy/k8s/opposable.yaml

Kafka (SASL_SSL) and MongoDB (replica set) are yours: any operator or managed offer. Each service mounts only the secrets it needs;
the signer alone has a volume and one replica. See README.md beside this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from shared.access.plan import service_principal
from shared.access.secret_table import OPTIONAL, PARTYS, READS, ROTATED

NAMESPACE, IMAGE = "opposable", "opposable:1.0.0"
PORT, USER = 8080, 10001
SECRETS, POLICY, STATE, KAFKA, MONGODB = (
    "/var/lib/opposable/keys/secrets",
    "/var/lib/opposable/keys/policy",
    "/var/lib/opposable/state",
    "/var/run/kafka",
    "/var/run/mongodb",
)
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Service:
    """One Deployment. `cpu` in millicores and `memory` in MiB, asked for. Its secrets: `shared/access/secret_table.py`."""

    name: str
    module: str
    replicas: int = 2
    cpu: int = 250
    memory: int = 256
    is_public: bool = False
    """Reached from outside the namespace (by your ingress)."""
    has_state: bool = False
    reaches_world: bool = False
    """Opens connections beyond Kafka and MongoDB: mail, webhooks, witnesses, time-stamping."""
    asks_all: bool = False
    """Reads the APIs, health and metrics of every other service."""

    @property
    def reads(self) -> tuple[str, ...]:
        """Its files of the secrets directory."""
        return READS[self.name.replace("-", "_")]

    @property
    def principal(self) -> str:
        """Its user of Kafka and of MongoDB."""
        return service_principal(self.name.replace("-", "_"))


SERVICES = (
    Service("collector", "services.collector", 3, 500, 384, is_public=True),
    Service("consent-validator", "services.consent_validator", is_public=True),
    Service("rights-handler", "services.rights_handler", 3, 500, 384, is_public=True),
    Service("proof-archive", "services.proof_archive", 2, 500, 512, is_public=True, reaches_world=True),
    Service("signer", "services.proof_archive.signer", 1, 100, 192, has_state=True, reaches_world=True),
    Service("eraser", "services.eraser", 2, 100, 192),
    Service("notifier", "services.notifier", 2, 100, 192, reaches_world=True),
    Service("webhook-relay", "services.webhook_relay", 2, 250, 256, reaches_world=True),
    Service("console", "services.console", 2, 100, 256, is_public=True, asks_all=True),
)
VERSIONS = range(2, 10)
"""Of a secret that is rotated: they are mounted as soon as the object holds them, and a running service sees them."""


def documents() -> list[Json]:
    """Every object, namespace first."""
    found: list[Json] = [_namespace(), _settings(), _closed()]
    for service in SERVICES:
        found += [_deployment(service), _service(service), _reach(service)]
        if service.replicas > 1:
            found.append(_budget(service))
        if service.has_state:
            found.append(_claim(service))
    return found


def _named(kind: str, name: str, **rest: Any) -> Json:
    versions = {"Deployment": "apps/v1", "PodDisruptionBudget": "policy/v1", "NetworkPolicy": "networking.k8s.io/v1"}
    labels = {"app.kubernetes.io/part-of": "opposable", "app.kubernetes.io/name": name}
    meta: Json = {"name": name, "labels": labels}
    if kind != "Namespace":
        meta["namespace"] = NAMESPACE
    return {"apiVersion": versions.get(kind, "v1"), "kind": kind, "metadata": meta, **rest}


def _namespace() -> Json:
    found = _named("Namespace", NAMESPACE)
    found["metadata"]["labels"] |= {"pod-security.kubernetes.io/enforce": "restricted"}
    return found


def _settings() -> Json:
    return _named("ConfigMap", "opposable", data={
        "KAFKA_BOOTSTRAP_SERVERS": "kafka-bootstrap.kafka.svc:9093",
        "OPPOSABLE_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "OPPOSABLE_KAFKA_PASSWORD_FILE": f"{KAFKA}/password",
        "OPPOSABLE_KAFKA_CA_FILE": f"{KAFKA}/ca.pem",
        "MONGODB_URI": "mongodb://mongodb-0.mongodb.mongodb.svc:27017/?replicaSet=rs0&w=majority&journal=true&tls=true&tlsCAFile=" + f"{MONGODB}/ca.pem",
        "OPPOSABLE_MONGODB_PASSWORD_FILE": f"{MONGODB}/password",
        "OPPOSABLE_DEPLOYMENT": "opposable.example",
        "OPPOSABLE_SECRETS_DIR": SECRETS,
        "OPPOSABLE_POLICY_FILE": POLICY,
        "OPPOSABLE_STATE_DIR": STATE,
        "OPPOSABLE_HTTP_HOST": "0.0.0.0",  # noqa: S104 - inside the pod; network policies say who reaches it
        "OPPOSABLE_HTTP_PORT": str(PORT),
        "OPPOSABLE_PUBLIC_URL": "https://droits.example",
        "OPPOSABLE_PROOF_URL": "https://preuves.example",
    })  # fmt: skip


def _deployment(service: Service) -> Json:
    labels = {"app.kubernetes.io/part-of": "opposable", "app.kubernetes.io/name": service.name}
    probe = {"periodSeconds": 5, "timeoutSeconds": 5}
    container: Json = {
        "name": service.name,
        "image": IMAGE,
        "command": ["python", "-m", service.module],
        "ports": [{"name": "http", "containerPort": PORT}],
        "envFrom": [{"configMapRef": {"name": "opposable"}}],
        "env": [
            *_addresses(service),
            {"name": "OPPOSABLE_KAFKA_USERNAME", "value": service.principal},
            {"name": "OPPOSABLE_MONGODB_USERNAME", "value": service.principal},
        ],
        "startupProbe": {"httpGet": {"path": "/health/live", "port": "http"}, "failureThreshold": 60, **probe},
        "readinessProbe": {"httpGet": {"path": "/health/ready", "port": "http"}, **probe},
        "livenessProbe": {"httpGet": {"path": "/health/live", "port": "http"}, "failureThreshold": 6, **probe},
        "resources": {
            "requests": {"cpu": f"{service.cpu}m", "memory": f"{service.memory}Mi"},
            "limits": {"memory": f"{service.memory * 2}Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - in memory
            {"name": "kafka", "mountPath": KAFKA, "readOnly": True},
            {"name": "mongodb", "mountPath": MONGODB, "readOnly": True},
            {"name": "secrets", "mountPath": SECRETS, "readOnly": True},
            {"name": "policy", "mountPath": POLICY, "subPath": "policy", "readOnly": True},
            {"name": "state", "mountPath": STATE},
        ],
    }  # fmt: skip
    state: Json = (
        {"persistentVolumeClaim": {"claimName": f"{service.name}-state"}} if service.has_state else {"emptyDir": {}}
    )
    spread = {
        "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"app.kubernetes.io/name": service.name}},
    }  # fmt: skip
    pod: Json = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 30,
        "securityContext": {
            "runAsNonRoot": True, "runAsUser": USER, "runAsGroup": USER, "fsGroup": USER, "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [spread],
        "containers": [container],
        "volumes": [
            {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}},
            {"name": "kafka", "secret": {"secretName": f"{service.name}-kafka", "defaultMode": 0o440}},
            {"name": "mongodb", "secret": {"secretName": f"{service.name}-mongodb", "defaultMode": 0o440}},
            {"name": "secrets", "projected": {"defaultMode": 0o440, "sources": _secrets(service)}},
            {"name": "policy", "configMap": {"name": "opposable-policy"}},
            {"name": "state", **state},
        ],
    }  # fmt: skip
    strategy: Json = (
        {"type": "Recreate"} if service.has_state  # two signers must never run: the volume and a lock see to it as well
        else {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    )  # fmt: skip
    annotations = {"prometheus.io/scrape": "true", "prometheus.io/port": str(PORT), "prometheus.io/path": "/metrics"}
    return _named("Deployment", service.name, spec={
        "replicas": service.replicas,
        "strategy": strategy,
        "selector": {"matchLabels": {"app.kubernetes.io/name": service.name}},
        "template": {"metadata": {"labels": labels, "annotations": annotations}, "spec": pod},
    })  # fmt: skip


def _addresses(service: Service) -> list[Json]:
    """Where the others are, for who asks them all."""
    others = [one.name for one in SERVICES if one is not service] if service.asks_all else []
    return [{"name": f"OPPOSABLE_{name.replace('-', '_').upper()}_URL", "value": f"http://{name}"} for name in others]


def _secrets(service: Service) -> list[Json]:
    """What of the object `<service>-secrets` is mounted: the files that the service reads, by name, and no other."""
    needed = [name for name in service.reads if name not in (*OPTIONAL, PARTYS)]
    later = [f"{name}.{version}" for name in needed if name in ROTATED for version in VERSIONS]
    maybe = [name for name in service.reads if name in OPTIONAL] + later
    name = f"{service.name}-secrets"
    found: list[Json] = [
        {"secret": {"name": name, "optional": optional, "items": [{"key": one, "path": one} for one in names]}}
        for optional, names in ((False, needed), (True, maybe)) if names
    ]  # fmt: skip
    if PARTYS in service.reads:
        found.append({"secret": {"name": f"{service.name}-parties", "optional": True}})
    return found


def _service(service: Service) -> Json:
    return _named("Service", service.name, spec={
        "selector": {"app.kubernetes.io/name": service.name},
        "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
    })  # fmt: skip


def _budget(service: Service) -> Json:
    return _named("PodDisruptionBudget", service.name, spec={
        "minAvailable": 1, "selector": {"matchLabels": {"app.kubernetes.io/name": service.name}},
    })  # fmt: skip


def _claim(service: Service) -> Json:
    return _named("PersistentVolumeClaim", f"{service.name}-state", spec={
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
    })  # fmt: skip


def _closed() -> Json:
    """Nothing reaches anything that the policies below do not name."""
    return _named("NetworkPolicy", "closed", spec={"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})


def _reach(service: Service) -> Json:
    """Who reaches a service, and what it reaches: names, Kafka, MongoDB; the outside where its work is there."""
    monitoring = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    ingress = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}
    egress: list[Json] = [
        {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]},
        {"ports": [{"port": 9093, "protocol": "TCP"}, {"port": 27017, "protocol": "TCP"}]},
    ]
    if service.reaches_world:
        egress.append({"ports": [{"port": port, "protocol": "TCP"} for port in (80, 443, 465, 587)]})
    if service.name == "rights-handler":  # the portal asks the archive for the person's proofs
        egress.append({
            "to": [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "proof-archive"}}}],
            "ports": [{"port": PORT, "protocol": "TCP"}],
        })  # fmt: skip
    if service.asks_all:
        egress.append({
            "to": [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": one.name}}} for one in SERVICES if one is not service],
            "ports": [{"port": PORT, "protocol": "TCP"}],
        })  # fmt: skip
    asking = [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": one.name}}} for one in SERVICES
              if one.asks_all and one is not service]  # fmt: skip
    allowed = [monitoring, *([ingress] if service.is_public else []), *asking]
    if service.name == "proof-archive":
        allowed.append({"podSelector": {"matchLabels": {"app.kubernetes.io/name": "rights-handler"}}})
    return _named("NetworkPolicy", service.name, spec={
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": service.name}},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": allowed, "ports": [{"port": PORT, "protocol": "TCP"}]}],
        "egress": egress,
    })  # fmt: skip


class _Plain(yaml.SafeDumper):
    """Without anchors: every object stands by itself."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def text() -> str:
    """The file."""
    head = "# Written by deploy/k8s/build.py: change that, not this.\n"
    return head + yaml.dump_all(documents(), Dumper=_Plain, sort_keys=False, width=140)


if __name__ == "__main__":
    Path(__file__).with_name("opposable.yaml").write_text(text(), encoding="utf-8")
