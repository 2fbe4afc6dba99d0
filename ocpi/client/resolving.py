"""Names of partners' hosts, for aiohttp: resolved to public addresses only."""

from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from ocpi.client import url_policy


class JudgedResolver(AbstractResolver):
    """Resolves names, and refuses those with an address that is not public (`url_policy`)."""

    def __init__(self) -> None:
        self._threaded = ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        found = await self._threaded.resolve(host, port, family)
        for entry in found:
            url_policy.check_address(entry["host"])
        return found

    async def close(self) -> None:
        await self._threaded.close()
