"""Every error that becomes an OCPI answer, each with its OCPI status and, only where the transport failed, HTTP status.

    OcpiError                     HTTP  OCPI
    ├── MalformedBody              400  2001   not JSON: the one body error that is an HTTP error (§status_codes)
    ├── BodyTooLarge               413  2000
    ├── Unauthenticated            401  2000   no token, unknown token, bootstrap token on a functional module
    ├── NotFound                   404  2000   also an owner the caller may not touch (§transport_and_format_errors)
    ├── MethodNotAllowed           405  2000
    ├── TooManyRequests            429  2000
    ├── HeadersTooLarge            431  2000
    ├── InvalidParameters          200  2001
    ├── NotEnoughInformation       200  2002
    ├── UnknownLocation            200  2003
    ├── UnknownToken               200  2004
    ├── ServerError                500  3000
    ├── ClientApiUnusable          200  3001
    ├── UnsupportedVersion         200  3002
    ├── NoMatchingEndpoints        200  3003
    ├── HubError                   200  4000
    ├── UnknownReceiver            200  4001
    ├── ReceiverTimeout            200  4002
    └── ReceiverNotConnected       200  4003

Valid JSON from an authenticated caller about an existing resource has reached the OCPI layer: HTTP 200.
"""

from collections.abc import Sequence
from typing import Any

from ocpi.status import OcpiStatus


class OcpiError(Exception):
    """An answer other than success. `message` is for the partner's engineer; `data` may name the faulty fields."""

    status: OcpiStatus = OcpiStatus.CLIENT_ERROR
    http_status: int = 200

    def __init__(self, message: str = "", *, data: Any = None) -> None:
        self.message = message or self.status.phrase
        self.data = data
        super().__init__(self.message)


class MalformedBody(OcpiError):
    status, http_status = OcpiStatus.INVALID_PARAMETERS, 400


class BodyTooLarge(OcpiError):
    http_status = 413


class Unauthenticated(OcpiError):
    http_status = 401


class NotFound(OcpiError):
    """`status` may be more precise than 2000, for example that of an unknown Location or Token (errata E4, E5)."""

    http_status = 404

    def __init__(self, message: str = "", *, status: OcpiStatus = OcpiStatus.CLIENT_ERROR) -> None:
        self.status = status
        super().__init__(message)


class MethodNotAllowed(OcpiError):
    http_status = 405

    def __init__(self, message: str = "", *, allowed: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.allowed = allowed


class TooManyRequests(OcpiError):
    """More than agreed: `retry_after` seconds from now there is room again."""

    http_status = 429

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class HeadersTooLarge(OcpiError):
    http_status = 431


class InvalidParameters(OcpiError):
    status = OcpiStatus.INVALID_PARAMETERS


class NotEnoughInformation(OcpiError):
    status = OcpiStatus.NOT_ENOUGH_INFORMATION


class UnknownLocation(OcpiError):
    status = OcpiStatus.UNKNOWN_LOCATION


class UnknownToken(OcpiError):
    status = OcpiStatus.UNKNOWN_TOKEN


class ServerError(OcpiError):
    status, http_status = OcpiStatus.SERVER_ERROR, 500


class ClientApiUnusable(OcpiError):
    status = OcpiStatus.CLIENT_API_UNUSABLE


class UnsupportedVersion(OcpiError):
    status = OcpiStatus.UNSUPPORTED_VERSION


class NoMatchingEndpoints(OcpiError):
    status = OcpiStatus.NO_MATCHING_ENDPOINTS


class HubError(OcpiError):
    status = OcpiStatus.HUB_ERROR


class UnknownReceiver(OcpiError):
    status = OcpiStatus.UNKNOWN_RECEIVER


class ReceiverTimeout(OcpiError):
    status = OcpiStatus.RECEIVER_TIMEOUT


class ReceiverNotConnected(OcpiError):
    status = OcpiStatus.RECEIVER_NOT_CONNECTED
