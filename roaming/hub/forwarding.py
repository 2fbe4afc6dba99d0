"""Bringing a message to another platform: the bytes as they came, over connections that stay open.

Raises what a hub has to say of a failure (§status_codes_4xxx_hub_errors): ReceiverTimeout, ReceiverNotConnected,
HubError.
"""

import msgspec

from ocpi.client import url_policy
from ocpi.client.connections import Connections
from ocpi.client.http import MAX_RESPONSE
from ocpi.client.http1 import Broken, Response
from ocpi.errors import HubError, ReceiverNotConnected, ReceiverTimeout
from ocpi.kept import kept
from ocpi.transport.transcripts import Transcript

_BODILESS = frozenset({"GET", "DELETE"})


class ServerFailure(HubError):
    """A web server's own error page: nobody who speaks OCPI is there."""


class Envelope(msgspec.Struct):
    """What must be there for an answer to be one of OCPI; decoding it checks the syntax of all."""

    status_code: int


_envelope = msgspec.json.Decoder(Envelope)


class Forwarder:
    """One for each event loop."""

    def __init__(self) -> None:
        self._connections = Connections()

    def close(self) -> None:
        self._connections.close()

    async def send(self, name: str, transcript: Transcript, headers: str, body: bytes) -> Response:
        """One request to the platform of this name, and its answer; `headers` are lines (`ocpi/client/http1.py`)."""
        method, seconds = transcript.method, kept.NODE_PARTNER_TIMEOUT
        content = body if body or method not in _BODILESS else None
        try:
            response = await self._connections.send(method, transcript.url, headers, content, seconds, MAX_RESPONSE)
        except url_policy.ForbiddenUrl as error:
            raise ReceiverNotConnected(f"{name} cannot be reached: {error}") from None
        except TimeoutError:
            raise ReceiverTimeout(f"{name} did not answer within {seconds} s") from None
        except (Broken, ValueError) as error:
            raise ReceiverNotConnected(f"{name} closed the connection: {_reason(error)}") from None
        except OSError as error:
            raise ReceiverNotConnected(f"{name} cannot be reached: {_reason(error)}") from None
        transcript.answered(response.status, response.body)
        transcript.status_code = _judged(name, response)
        return response


def _judged(name: str, response: Response) -> int:
    """The OCPI status of an answer that is meant for the requester; raises HubError for any other."""
    status = response.status
    if response.is_cut:
        raise HubError(f"the answer of {name} is larger than {MAX_RESPONSE} bytes")
    try:
        code = _envelope.decode(response.body).status_code
    except (msgspec.DecodeError, UnicodeDecodeError):
        failure = ServerFailure if status >= 500 else HubError
        raise failure(f"{name} answered HTTP {status} without an OCPI envelope") from None
    if status in (401, 403):  # it is our token that it does not accept
        raise HubError(f"{name} refused the hub: HTTP {status}, OCPI {code}")
    return code


def _reason(error: Exception) -> str:
    return str(error)[:200] or type(error).__name__
