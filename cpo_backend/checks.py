"""System checks: settings mistakes surface at start, with stable ids."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from cpo_backend.models import Charger
from cpo_backend.registry import keys


@register()
def commissioning_key(**_: Any) -> list[CheckMessage]:
    key = settings.OCPP_COMMISSIONING_KEY
    if not key or len(key.encode()) >= keys.SHORTEST:
        return []
    return [Error(f"OCPP_COMMISSIONING_KEY has less than {keys.SHORTEST} bytes", id="cpo_backend.E001")]


@register()
def security_profile(**_: Any) -> list[CheckMessage]:
    if settings.OCPP_MIN_PROFILE in Charger.Profile.values:
        return []
    return [Error("OCPP_MIN_PROFILE must be 1, 2 or 3", id="cpo_backend.E002")]


@register(deploy=True)
def plain_passwords(**_: Any) -> list[CheckMessage]:
    if settings.OCPP_MIN_PROFILE > Charger.Profile.PLAIN:
        return []
    told = "with OCPP_MIN_PROFILE=1 chargers may send their passwords in the clear: only in a network of your own"
    return [Warning(told, id="cpo_backend.W001")]
