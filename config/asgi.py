"""The front door: one ASGI application for partners and staff.

Everything over HTTP goes to Django through the bridge. Whatever else a server offers is refused.
"""

import gc
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings

from config.bridge import Receive, Scope, Send, WsgiBridge
from config.wsgi import application as django

# What is loaded by now lives as long as the process: the collector need not look at it again.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 20)

bridge = WsgiBridge(django, threads=settings.NODE_THREADS, max_body=settings.NODE_MAX_BODY)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    match scope["type"]:
        case "http":
            await bridge(scope, receive, send)
        case "lifespan":
            await _lifespan(receive, send)
        case "websocket":
            await _no_such_websocket(scope, receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": f"{message['type']}.complete"})
    bridge.close()
    await send({"type": "lifespan.shutdown.complete"})


async def _no_such_websocket(scope: Scope, receive: Receive, send: Send) -> None:
    """404 where the server can answer a handshake with it; a plain close would be a misleading 403."""
    await receive()
    if "websocket.http.response" in scope.get("extensions", {}):
        await send({"type": "websocket.http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
        await send({"type": "websocket.http.response.body", "body": b""})
    else:
        await send({"type": "websocket.close", "code": 4404})
