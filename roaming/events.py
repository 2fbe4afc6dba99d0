"""What happens between partners' state and work: signals of `roaming`, and who reacts to those of `ocpi`."""

from typing import Any

from django.dispatch import Signal, receiver

from ocpi.events import command_resolved, object_changed
from ocpi.ids import PartyId
from ocpi.v221.versions import ModuleID

# A handshake was completed or renewed. Argument: platform_id. Sent on commit.
platform_connected = Signal()
# Platforms, tokens, endpoints or parties have changed. Sent on commit.
directory_changed = Signal()


@receiver(object_changed)
def wake_lanes(module: str, owner: str, source: int | None, **_: Any) -> None:
    from roaming.sync import wake

    wake.changed(module)
    if module == ModuleID.CDRS and source is not None:
        wake.audit()


@receiver(object_changed)
def send_to_those_who_are_back(module: str, owner: PartyId, source: int | None, **_: Any) -> None:
    """What a hub tells of parties behind it."""
    from roaming.delivery import behind_hubs
    from roaming.sync import wake

    if module == ModuleID.HUB_CLIENT_INFO and source is not None:
        for waiting in behind_hubs.returned(owner, source):
            wake.changed(waiting)


@receiver(command_resolved)
def send_result(platform_id: int, **_: Any) -> None:
    from roaming.sync import wake

    wake.resolved(platform_id)


@receiver(platform_connected)
def greet(platform_id: int, **_: Any) -> None:
    from roaming.sync import wake

    wake.connected(platform_id)


@receiver(directory_changed)
def tell_of_parties(**_: Any) -> None:
    from roaming import presence

    presence.refresh()
