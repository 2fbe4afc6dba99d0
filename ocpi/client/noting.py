"""Every request to a partner is noted in the exchange log, whatever becomes of it."""

from types import TracebackType

from ocpi import ports
from ocpi.client.messages import Presented, Refused
from ocpi.transport.headers import MessageIds, RoutingHeaders
from ocpi.transport.transcripts import Transcript


class Noted:
    """The context of one request: gives its transcript, which is noted at the end with the exception that ends it."""

    def __init__(
        self,
        method: str,
        url: str,
        ids: MessageIds,
        routing: RoutingHeaders,
        presented: Presented,
        body: bytes | None,
    ) -> None:
        self._transcript = Transcript("OUT", method, url, ids, routing, presented.platform_id, token=presented.token)
        self._transcript.asked(body or b"")

    def __enter__(self) -> Transcript:
        return self._transcript

    def __exit__(
        self, type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self._transcript.error = str(error) or error.__class__.__name__
        if isinstance(error, Refused):
            self._transcript.status_code = error.status_code
        ports.exchange_log().note(self._transcript)
