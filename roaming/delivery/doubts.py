"""What a platform may hold that we have not noted: a request without an answer, or a worker that died before it booked.

Then it is not enough to compare with what was acknowledged last: an object that is back to how it was then would
never be sent, and the platform would keep what it was told in between. A request without an answer puts in doubt what
it was to change (`images.doubted`). A worker that died may have sent any of the objects that changed after the places
its streams were booked to; those are sent whole.
"""

from django.db.models import Q

from roaming.delivery import desk, feeds
from roaming.delivery.streams import Stream
from roaming.delivery_models import Delivery, FeedCursor


def doubt_unbooked(platform_id: int) -> None:
    """Have the objects sent again, whole, that a worker may have sent without booking it. CDRs never change."""
    for cursor in FeedCursor.objects.filter(platform=platform_id).exclude(stream=Stream.CDRS.value):
        stream = Stream(cursor.stream)
        later = Q(xid__gt=cursor.xid) | Q(xid=cursor.xid, revision__gt=cursor.revision)
        column = "location_id" if stream is Stream.STATUSES else "pk"
        sent = feeds.model(stream)._default_manager.filter(later).values(column)
        held = Delivery.objects.filter(platform=platform_id, module=stream.module.value).exclude(image="")
        desk.resend(held.filter(object_id__in=sent))
