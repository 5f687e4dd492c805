"""The name of each partition's log, from the incarnation that the registry gives its topic."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from services.proof_archive.domain import origin
from shared.errors import Unavailable
from shared.registry.feed import RegistryFeed


def origins_of(deployment: str, registry: RegistryFeed) -> Callable[[str, int], Awaitable[str]]:
    """Names logs. A topic that is not in the registry yet is `Unavailable`: provisioning names it before it is used."""

    async def origin_of(topic: str, partition: int) -> str:
        if registry.view.topic(topic) is None:
            await registry.catch_up()
        found = registry.view.topic(topic)
        if found is None:
            raise Unavailable(f"topic {topic} has no incarnation in the registry; run `opposable topics apply`")
        return origin(deployment, topic, found.incarnation, partition)

    return origin_of
