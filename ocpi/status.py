"""OCPI status codes (§status_codes_status_codes)."""

from enum import IntEnum


class OcpiStatus(IntEnum):
    """The `status_code` of an envelope, with the phrase used when there is nothing better to say."""

    phrase: str

    def __new__(cls, code: int, phrase: str) -> "OcpiStatus":
        member = int.__new__(cls, code)
        member._value_ = code
        member.phrase = phrase
        return member

    SUCCESS = 1000, "Success"
    CLIENT_ERROR = 2000, "Client error"
    INVALID_PARAMETERS = 2001, "Invalid or missing parameters"
    NOT_ENOUGH_INFORMATION = 2002, "Not enough information"
    UNKNOWN_LOCATION = 2003, "Unknown location"
    UNKNOWN_TOKEN = 2004, "Unknown token"
    SERVER_ERROR = 3000, "Server error"
    CLIENT_API_UNUSABLE = 3001, "Unable to use the client's API"
    UNSUPPORTED_VERSION = 3002, "Unsupported version"
    NO_MATCHING_ENDPOINTS = 3003, "No matching endpoints"
    HUB_ERROR = 4000, "Hub error"
    UNKNOWN_RECEIVER = 4001, "Unknown receiver"
    RECEIVER_TIMEOUT = 4002, "Timeout on forwarded request"
    RECEIVER_NOT_CONNECTED = 4003, "Connection problem"
