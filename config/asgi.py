"""The front door: one ASGI application for partners, staff and chargers.

What is for another platform is relayed, and what is asked all day goes by the express lane; everything else over HTTP
goes to Django through the bridge. Websockets are chargers, whose files have a door of their own.
"""

import asyncio
import ctypes
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings
from django.db import connection

from config import memory
from config.bridge import WsgiBridge
from config.wsgi import application as django
from cpo_backend.files.door import PREFIX, FileDoor
from cpo_backend.ocpp.door import Door
from ocpi.express.door import Express
from ocpi.transport.asgi import Receive, Scope, Send
from roaming.directory import directory
from roaming.exchanges.log import exchange_log
from roaming.hub.relay import Relay
from roaming.hub.turnstile import Turnstile

memory.settle()

# Keep the memory of one page for the next: giving it back and faulting it in again costs more than filling it.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
    mallopt(_M_TRIM_THRESHOLD, 16 << 20)
    mallopt(_M_MMAP_THRESHOLD, 4 << 20)


def is_slow(path: str) -> bool:
    """Whether a request may take seconds: a handshake waits for the partner's answers, staff export and search."""
    return not path.startswith("/ocpi/") or path.rstrip("/").endswith("/credentials")


bridge = WsgiBridge(django, settings.NODE_THREADS, settings.NODE_MAX_BODY, is_slow, exchange_log.note)
# What the express lane does takes transactions side by side, which SQLite has not.
express = Express(bridge, settings.NODE_THREADS)
relay = Relay(express if connection.vendor == "postgresql" else bridge, directory)
turnstile = Turnstile(relay, directory)
door = Door()
files = FileDoor()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    match scope["type"]:
        case "http" if scope["path"].startswith(PREFIX):
            await files(scope, receive, send)
        case "http":
            await turnstile(scope, receive, send)
        case "lifespan":
            await _lifespan(receive, send)
        case "websocket":
            await door(scope, receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    while (message := await receive())["type"] != "lifespan.shutdown":
        await door.open()
        await send({"type": f"{message['type']}.complete"})
    turnstile.close()
    await door.close()
    relay.close()
    await express.close()
    bridge.close()
    await asyncio.to_thread(exchange_log.close)
    await send({"type": "lifespan.shutdown.complete"})
