"""What the exchange log must not hold, and what it need not.

Credentials tokens are never written down. In OCPI a member `token` that is a string is one (a driver's Token is an
object), and the token that we presented is known by its value, should a partner repeat our headers.

With NODE_LOG_MASK, what identifies a driver is replaced by a keyed hash of itself, in bodies, URLs and messages: the
entries about one card can still be found together, by who knows the card or has one of them. Bodies may be cut
off anywhere, so they are searched as text, not parsed.
"""

import hmac
import re
from functools import cache, lru_cache
from urllib.parse import unquote

import msgspec
from django.conf import settings
from django.core.signals import setting_changed

from ocpi.transport import authorization
from ocpi.v221.versions import ModuleID

HIDDEN = "***"
_STRING = r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)'
_VALUE = rf"({_STRING}|[-+.\w]+)"
_CREDENTIALS = re.compile(rf'("token"\s*:\s*){_STRING}')
_ALWAYS = "contract_id|visual_number|group_id|token_uid"
# `uid` is a Token's, also in a CdrToken; but in Locations it is an EVSE's.
_PERSONAL = re.compile(rf'("(?:uid|{_ALWAYS})"\s*:\s*){_VALUE}')
_PERSONAL_IN_LOCATIONS = re.compile(rf'("(?:{_ALWAYS})"\s*:\s*){_VALUE}')
_MESSAGE = re.compile(rf'("status_message"\s*:\s*)({_STRING})')
_SHORTEST = 4  # shorter values are too likely to be part of other words


def without_credentials(text: str, token: str) -> str:
    """The text of a body or message without credentials tokens; `token` is the one that we presented, if any."""
    if '"token"' in text:
        text = _CREDENTIALS.sub(rf'\1"{HIDDEN}"', text)
    if token and text:
        for spelling in _spellings(token):
            text = text.replace(spelling, HIDDEN)
    return text


@lru_cache(1024)
def _spellings(token: str) -> tuple[str, str]:
    return token, authorization.encode(token).partition(" ")[2]


def hidden(value: str) -> str:
    """What stands for a value that identifies a driver: the same for the same value, whatever its case."""
    return f"~{hmac.digest(_key(), value.lower().encode(errors='replace'), 'sha256').hex()[:16]}"


@cache
def _key() -> bytes:
    return hmac.digest(settings.SECRET_KEY.encode(), b"roaming.exchanges.masking", "sha256")


def _forget(*, setting: str, **_: object) -> None:
    if setting == "SECRET_KEY":
        _key.cache_clear()


setting_changed.connect(_forget)


class Mask:
    """Hides the drivers of one entry; what was found in its URL and bodies is hidden in its messages too."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._found: dict[str, str] = {}

    def url(self, url: str, below: str) -> str:
        """`below` is the part of the URL below the module's endpoint."""
        if self._module != ModuleID.TOKENS:
            return url
        path, question, query = below.partition("?")
        steps = path.split("/")
        # /{uid} and /{uid}/authorize at a Sender; /{country_code}/{party_id}/{uid} at a Receiver.
        place = 1 if len(steps) == 2 or steps[2:3] == ["authorize"] else 3
        if len(steps) > place and steps[place]:
            steps[place] = self._hide(unquote(steps[place]))
        return url.removesuffix(below) + "/".join(steps) + question + query

    def body(self, text: str) -> str:
        members = _PERSONAL_IN_LOCATIONS if self._module == ModuleID.LOCATIONS else _PERSONAL
        text = members.sub(self._member, text)
        return _MESSAGE.sub(lambda match: match[1] + self.message(match[2]), text)

    def message(self, text: str) -> str:
        """Call it after `url` and `body`."""
        for value, shown in self._found.items():
            if len(value) >= _SHORTEST:
                text = re.sub(re.escape(value), shown, text, flags=re.IGNORECASE)
        return text

    def _member(self, match: re.Match[str]) -> str:
        value = match[2]
        if value == "null":
            return match[0]
        return f'{match[1]}"{self._hide(_plain(value))}"'

    def _hide(self, value: str) -> str:
        return self._found.setdefault(value, hidden(value))


def _plain(value: str) -> str:
    """The value of a JSON string, or of what stands in its place."""
    if not value.startswith('"'):
        return value
    try:
        return str(msgspec.json.decode(value))
    except msgspec.DecodeError:  # cut off
        return value[1:]
