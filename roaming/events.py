"""What happens between partners' state and work: signals of `roaming`, and who reacts to those of `ocpi`."""

from typing import Any

from django.dispatch import Signal, receiver

from ocpi.events import command_resolved, object_changed
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
