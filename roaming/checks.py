"""System checks: settings mistakes surface at start, with stable ids."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured

from ocpi.client import url_policy
from ocpi.v221.common import Role
from roaming.delivery import lateness
from roaming.parties import configured


@register()
def node_parties(**_: Any) -> list[CheckMessage]:
    try:
        parties = configured(settings.NODE_PARTIES)
    except ImproperlyConfigured as error:
        return [Error(str(error), id="roaming.E001")]
    if not parties:
        return [Error("NODE_PARTIES names no party", id="roaming.E001")]
    if sum(role == Role.HUB for role, _, _ in parties) > 1:
        return [Error("NODE_PARTIES names more than one HUB; a node is one hub at most", id="roaming.E002")]
    return []


@register()
def node_freshness(**_: Any) -> list[CheckMessage]:
    try:
        lateness.limits(settings.NODE_FRESHNESS)
    except ImproperlyConfigured as error:
        return [Error(str(error), id="roaming.E003")]
    return []


@register(deploy=True)
def node_url(**_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.NODE_ALLOW_PRIVATE_URLS:
        found.append(Warning("NODE_ALLOW_PRIVATE_URLS=1 lets partners aim us at our own network", id="roaming.W001"))
    try:
        url_policy.check_url(settings.NODE_URL)
    except url_policy.ForbiddenUrl as error:
        found.append(Warning(f"partners will not call NODE_URL {settings.NODE_URL}: {error}", id="roaming.W002"))
    return found
