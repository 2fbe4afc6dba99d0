"""What the rest of the program may listen to; the only custom signals of the project, sent after commit."""

from django.dispatch import Signal

# Objects were written. Arguments: module (ModuleID), owner (PartyId), source (platform id they came from, or None).
object_changed = Signal()
