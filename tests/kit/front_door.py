"""The node as partners see it: the front door on a real socket, in this process and on its database."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import uvicorn

from config.http1 import FrontDoor
from ocpi.transport.asgi import Application


@contextlib.contextmanager
def serve(application: Application, **options: Any) -> Iterator[str]:
    """Yields the URL at which the application answers; `options` are the server's."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        usual = {"http": FrontDoor, "loop": "config.loop:Loop", "log_level": "critical", "lifespan": "on"}
        config = uvicorn.Config(application, **(usual | {"timeout_graceful_shutdown": 1} | options))
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), name="front door")
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the front door did not open"
            time.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
