"""What the rest of the program may listen to; the only custom signals of the project, sent after commit."""

from django.dispatch import Signal

# Objects were written. Arguments: module (ModuleID), owner (PartyId), source (platform id they came from, or None).
object_changed = Signal(use_caching=True)  # senders are classes of models: there are few

# A command that we accepted has a result. Arguments: command_id, platform_id of the commanding platform, result.
command_resolved = Signal()
