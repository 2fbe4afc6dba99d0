"""What becomes of a message that is brought to another platform, as a hub has to say it
(§status_codes_4xxx_hub_errors).
"""

import msgspec

from ocpi.client import url_policy
from ocpi.client.http import MAX_RESPONSE
from ocpi.client.http1 import Broken, Response
from ocpi.errors import HubError, OcpiError, ReceiverNotConnected, ReceiverTimeout
from ocpi.kept import kept


class ServerFailure(HubError):
    """A web server's own error page: nobody who speaks OCPI is there."""


class Envelope(msgspec.Struct):
    """What must be there for an answer to be one of OCPI; decoding it checks the syntax of all."""

    status_code: int


_envelope = msgspec.json.Decoder(Envelope)


def no_answer(name: str, error: OSError | ValueError) -> OcpiError:
    """Why there is no answer from the platform of this name: ReceiverTimeout or ReceiverNotConnected."""
    if isinstance(error, TimeoutError):
        return ReceiverTimeout(f"{name} did not answer within {kept.NODE_PARTNER_TIMEOUT} s")
    is_ended = isinstance(error, Broken | ValueError) and not isinstance(error, url_policy.ForbiddenUrl)
    what = "closed the connection" if is_ended else "cannot be reached"
    return ReceiverNotConnected(f"{name} {what}: {str(error)[:200] or type(error).__name__}")


def status_of(name: str, response: Response) -> int:
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
