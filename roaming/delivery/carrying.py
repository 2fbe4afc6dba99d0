"""Sending what differs, and finding out after a refusal what the platform holds (§transport_and_format_patch)."""

from dataclasses import dataclass, field
from datetime import datetime

from ocpi.client import pushing
from ocpi.client.messages import NotOcpi, PartnerError, Refused, SlowDown
from ocpi.client.sending import Ask, Request
from ocpi.store.revisions import Position
from roaming.delivery import images
from roaming.delivery.differences import Step, Way
from roaming.delivery.images import Image

# It does not know us, or is out of order: nothing is wrong with the object.
_OUT_OF_ORDER = frozenset({401, 429, 500, 502, 503, 504})


@dataclass(slots=True)
class Parcel:
    """One object on its way to one platform: what it holds of it, and the steps that make up for the difference.

    `position` is the place of the change in its stream, None for another attempt. `request` is the last that was sent.
    """

    object_id: int
    version: int
    position: Position | None
    changed_at: datetime
    way: Way
    held: Image | None
    attempts: int = 0
    behind_since: datetime | None = None  # when the first change was made that it did not acknowledge
    steps: list[Step] = field(default_factory=list)
    request: Request | None = None
    requests: int = 0
    is_disputed: bool = False  # a part was refused: what the platform holds is not what we thought
    error: PartnerError | None = None

    async def carry(self, ask: Ask) -> None:
        """Send the steps; stops at a part that is refused. Raises PartnerError for everything else."""
        for step in self.steps:
            try:
                await self._take(step, ask)
            except (Refused, NotOcpi) as error:
                if step.held.gone and error.http_status == 404:
                    self.held = step.held  # it never had what it is to delete
                elif step.is_part and concerns_object(error):
                    self.is_disputed = True
                    return
                else:
                    raise

    async def restore(self, whole: Step, ask: Ask) -> None:
        """Read what the platform holds, and bring the whole object unless that is it. Raises PartnerError."""
        try:
            answer = await self._send(pushing.read(self.way.base, whole.held.path, self.way.routing), ask)
            found = images.seen(self.way.module, answer)
        except (Refused, NotOcpi) as error:
            if not concerns_object(error):
                raise
            found = None
        if found != whole.held:
            await self._take(whole, ask)
        self.held = whole.held

    async def _take(self, step: Step, ask: Ask) -> None:
        try:
            await self._send(step.request, ask)
        except PartnerError as error:
            if not _is_refusal(error):
                self.held = images.doubted(self.held, step.held)
            raise
        self.held = step.held

    async def _send(self, request: Request, ask: Ask) -> object:
        self.request = request
        self.requests += 1
        return (await ask(request)).data


def concerns_object(error: PartnerError) -> bool:
    """Whether the platform works and refuses this object; otherwise it is the platform that cannot be used."""
    if isinstance(error, SlowDown):
        return False
    return isinstance(error, Refused | NotOcpi) and error.http_status not in _OUT_OF_ORDER


def _is_refusal(error: PartnerError) -> bool:
    """Whether it is sure that the request was not followed."""
    return isinstance(error, SlowDown) or (isinstance(error, Refused) and 2000 <= error.status_code < 3000)
