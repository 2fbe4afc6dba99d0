"""What happens between partners' state and work: signals of `roaming`, and who reacts to those of `ocpi`."""

from typing import Any

from django.dispatch import Signal, receiver

from ocpi.events import object_changed

# A handshake was completed or renewed. Argument: platform_id. Sent on commit.
platform_connected = Signal()


@receiver(object_changed)
def wake_lanes(module: str, owner: str, source: int | None, **_: Any) -> None:
    from roaming.sync import wake

    wake.changed(module)


@receiver(platform_connected)
def greet(platform_id: int, **_: Any) -> None:
    from roaming.sync import wake

    wake.connected(platform_id)
