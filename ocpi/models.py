"""The tables of the object store. Only `ocpi.store` writes them; the admin reads."""

from typing import ClassVar

from django.db import models

from ocpi.v221.versions import ModuleID


class OwnedObject(models.Model):
    """An OCPI object of any owner. The primary key is the creation sequence that pages are ordered by."""

    module: ClassVar[ModuleID]

    owner = models.CharField(max_length=6, help_text="CC*PID, upper case")
    key = models.CharField(max_length=80, help_text="The object's id, lower case: ids are compared without case")
    last_updated = models.DateTimeField(help_text="As the owner sent it, to the microsecond (UTC)")
    document = models.TextField(help_text="The object as exact JSON")
    defects = models.TextField(blank=True, default="", help_text="Violations found in it, as JSON; empty when none")
    source = models.BigIntegerField(null=True, help_text="The platform it came from; empty for our own")
    revision = models.BigIntegerField(help_text="Its place in the one sequence of all changes")
    xid = models.BigIntegerField(default=0, help_text="PostgreSQL's xid8 of the change; 0 on SQLite")
    received_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.owner} {self.key}"


class Location(OwnedObject):
    """A charging location (§mod_locations_location_object).

    `document` holds everything; when `stale`, the live status of its EVSEs has moved on in `EvseStatus` and the next
    read puts both together and stores the result.
    """

    module = ModuleID.LOCATIONS

    stamp = models.CharField(max_length=40, help_text="last_updated in the owner's spelling")
    stale = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="location_key")]
        indexes = [
            models.Index(fields=["owner", "id"], name="location_page"),  # a page of one owner, by creation
            models.Index(fields=["owner", "last_updated"], name="location_delta"),  # date_from / date_to
            models.Index(fields=["xid", "revision"], name="location_feed"),  # the change feed
        ]


class EvseStatus(models.Model):
    """The live part of an EVSE, by itself so that a status change is one small statement."""

    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="evses")
    key = models.CharField(max_length=36, help_text="The EVSE's uid, lower case")
    status = models.CharField(max_length=40, blank=True)
    stamp = models.CharField(max_length=40, help_text="The EVSE's last_updated in the owner's spelling")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["location", "key"], name="evse_key")]
        verbose_name_plural = "EVSE status"

    def __str__(self) -> str:
        return f"{self.key} {self.status}"


class ObjectCount(models.Model):
    """How many objects an owner has in a module: X-Total-Count without counting. Locked while objects are created."""

    module = models.CharField(max_length=20)
    owner = models.CharField(max_length=6)
    count = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["module", "owner"], name="objectcount_key")]

    def __str__(self) -> str:
        return f"{self.owner} {self.module}: {self.count}"
