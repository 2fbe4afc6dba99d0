"""The tables of the object store. Only `ocpi.store` writes them; the admin reads."""

from typing import ClassVar

from django.db import models

from ocpi.v221.versions import ModuleID


class OwnedObject(models.Model):
    """An OCPI object of any owner. The primary key is the creation sequence that pages are ordered by."""

    module: ClassVar[ModuleID]
    version_column: ClassVar[str] = "revision"  # moves with every change, also where the place in the feed does not
    visible: ClassVar[str] = ""  # SQL: which rows are objects to others, where that is not all of them

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


def _found_by(name: str) -> tuple[list[models.BaseConstraint], list[models.Index]]:
    """What every module's table is read by."""
    return [models.UniqueConstraint(fields=["owner", "key"], name=f"{name}_key")], [
        models.Index(fields=["owner", "id"], name=f"{name}_page"),  # a page of one owner, by creation
        models.Index(fields=["owner", "last_updated"], name=f"{name}_delta"),  # date_from / date_to
        models.Index(fields=["xid", "revision"], name=f"{name}_feed"),  # the change feed
    ]


class Location(OwnedObject):
    """A charging location (§mod_locations_location_object).

    `document` holds everything; when `stale`, the live status of its EVSEs has moved on in `EvseStatus` and the next
    read puts both together and stores the result. The feed (`xid`, `revision`) has the changes of whole Locations;
    those of a status alone are in the feed of `EvseStatus`.
    """

    module = ModuleID.LOCATIONS
    version_column = "version"

    stamp = models.CharField(max_length=40, help_text="last_updated in the owner's spelling")
    version = models.BigIntegerField(default=0, db_default=0, help_text="The last revision, a status's included")
    stale = models.BooleanField(default=False)

    class Meta:
        constraints, indexes = _found_by("location")


class Tariff(OwnedObject):
    """What charging costs (§mod_tariffs_tariff_object)."""

    module = ModuleID.TARIFFS
    visible = "NOT deleted"

    deleted = models.BooleanField(default=False, help_text="Gone for partners; kept to tell them")

    class Meta:
        constraints, indexes = _found_by("tariff")


class Token(OwnedObject):
    """What a driver identifies with (§mod_tokens_token_object). The key is type and uid.

    `expires_at`, `has_credit` and `places` are the terms on which we authorize our own; partners never see them.
    """

    module = ModuleID.TOKENS

    uid = models.CharField(max_length=36, help_text="Lower case")
    type = models.CharField(max_length=40)
    contract_id = models.CharField(max_length=80)
    visual_number = models.CharField(max_length=80, blank=True)
    valid = models.BooleanField()
    whitelist = models.CharField(max_length=40)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Not authorized from then on (UTC)")
    has_credit = models.BooleanField(default=True, db_default=True)
    places = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="Where it may charge, a line each: CC*PID of a CPO, or CC*PID/id of a Location; empty: everywhere",
    )

    class Meta:
        constraints, indexes = _found_by("token")
        indexes += [
            models.Index(fields=["key"], name="token_any_owner"),  # a card is read: its owner is not
            models.Index(fields=["uid"], name="token_uid"),
            models.Index(fields=["contract_id"], name="token_contract"),
            models.Index(fields=["expires_at"], condition=models.Q(expires_at__isnull=False), name="token_expiry"),
        ]


class Session(OwnedObject):
    """A charging session while it happens (§mod_sessions_session_object)."""

    module = ModuleID.SESSIONS

    token_owner = models.CharField(max_length=6, blank=True, help_text="CC*PID of the eMSP, who alone may see it")
    status = models.CharField(max_length=40)

    class Meta:
        constraints, indexes = _found_by("session")
        indexes += [models.Index(fields=["token_owner", "id"], name="session_of_emsp")]


class Cdr(OwnedObject):
    """The final account of a session (§mod_cdrs_cdr_object)."""

    module = ModuleID.CDRS

    token_owner = models.CharField(max_length=6, blank=True, help_text="CC*PID of the eMSP, who alone may see it")
    session_key = models.CharField(max_length=36, blank=True, help_text="The session's id, lower case")
    is_credit = models.BooleanField(default=False)
    credits = models.CharField(
        max_length=39, blank=True, default="", db_default="", help_text="Key of the CDR that this one takes back"
    )
    ended_at = models.DateTimeField(null=True, help_text="When the session ended: the month it is settled in (UTC)")

    class Meta:
        constraints, indexes = _found_by("cdr")
        indexes += [
            models.Index(fields=["token_owner", "id"], name="cdr_of_emsp"),
            models.Index(fields=["owner", "session_key"], name="cdr_of_session"),
            models.Index(fields=["owner", "credits"], condition=~models.Q(credits=""), name="cdr_credits"),
            models.Index(fields=["owner", "token_owner", "ended_at", "id"], name="cdr_month"),
        ]
        verbose_name = "CDR"


class CdrCorrection(models.Model):
    """A CDR of ours that was taken back and replaced: at most once, which its key makes sure of."""

    original = models.OneToOneField(Cdr, on_delete=models.PROTECT, primary_key=True, related_name="correction")
    credit = models.CharField(max_length=39, help_text="Id of the credit CDR")
    replacement = models.CharField(max_length=36, help_text="Id of the CDR that replaces it")
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.CharField(max_length=150, blank=True)

    class Meta:
        verbose_name = "correction of a CDR"
        verbose_name_plural = "corrections of CDRs"

    def __str__(self) -> str:
        return f"{self.credit}, {self.replacement}"


class ClientInfo(OwnedObject):
    """A party behind a hub and its connection (§mod_hub_client_info_hub_client_info_object)."""

    module = ModuleID.HUB_CLIENT_INFO

    role = models.CharField(max_length=40)
    status = models.CharField(max_length=40)

    class Meta:
        constraints, indexes = _found_by("clientinfo")


class EvseStatus(models.Model):
    """The live part of an EVSE, by itself so that a status change is one small statement."""

    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="evses")
    key = models.CharField(max_length=36, help_text="The EVSE's uid, lower case")
    status = models.CharField(max_length=40, blank=True)
    stamp = models.CharField(max_length=40, help_text="The EVSE's last_updated in the owner's spelling")
    revision = models.BigIntegerField(default=0, db_default=0, help_text="Place of the last status change in the feed")
    xid = models.BigIntegerField(default=0, db_default=0, help_text="PostgreSQL's xid8 of that change; 0 on SQLite")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["location", "key"], name="evse_key")]
        indexes = [models.Index(fields=["xid", "revision"], name="evse_feed")]
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
