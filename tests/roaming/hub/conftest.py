"""A hub as partners see it."""

from collections.abc import Iterator
from typing import Any

import pytest

from config.asgi import bridge
from roaming import directory
from roaming.hub.relay import Relay
from roaming.models import Party
from tests.kit.front_door import serve


@pytest.fixture
def hub(transactional_db: None) -> Iterator[str]:
    """The URL of this node, a hub."""
    Party.objects.create(party="NL*HUB", role="HUB", name="Example Hub")
    directory.changed()
    relay = Relay(bridge, directory.directory)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while (message := await receive())["type"] != "lifespan.shutdown":
                await send({"type": f"{message['type']}.complete"})
            await relay.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await relay(scope, receive, send)

    with serve(application) as url:
        yield url
