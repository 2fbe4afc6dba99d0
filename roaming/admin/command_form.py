"""A command as staff write it: one form, of which each command takes its own fields, named as on the wire."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from ocpi.ids import PartyId
from ocpi.models import ClientInfo, Token
from ocpi.ports import Command
from ocpi.store.documents import Document
from ocpi.types import codec, times
from ocpi.v221.common import Role
from roaming.command_models import SentCommand
from roaming.commands import sending
from roaming.commands.subjects import PROFILES
from roaming.directory import directory


def _text(label: str, help_text: str = "", **options: Any) -> forms.CharField:
    widget = UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"})
    return forms.CharField(label=label, help_text=help_text, required=False, max_length=36, widget=widget, **options)


class JsonField(forms.CharField):
    """JSON whose numbers stay exact."""

    widget = UnfoldAdminTextareaWidget

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return codec.decode(text.encode()) if text else None
        except codec.MalformedJson as error:
            raise forms.ValidationError(f"This is not JSON: {error}") from None


class CommandForm(forms.ModelForm):
    party = forms.ChoiceField(label="CPO", widget=UnfoldAdminSelectWidget())
    location_id = _text("Location id", "To start, reserve or unlock")
    evse_uid = _text("EVSE uid")
    connector_id = _text("Connector id")
    token_uid = _text("Token uid", "To start or reserve: a Token of ours")
    token = JsonField(label="Token", required=False, help_text="Instead of a uid: the whole Token as JSON")
    authorization_reference = _text("Authorization reference")
    reservation_id = _text("Reservation id", "To reserve or cancel; the same id replaces the reservation")
    expiry_date = forms.DateTimeField(
        label="Reserved until",
        required=False,
        help_text="UTC",
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "2026-01-31 12:00"}),
    )
    session_id = _text("Session id", "To stop a session, or for its charging profile")
    duration = forms.IntegerField(
        required=False, min_value=1, help_text="Seconds of the active profile", widget=UnfoldAdminTextInputWidget()
    )
    charging_profile = JsonField(label="Charging profile", required=False, help_text="To set it: as JSON")

    class Meta:
        model = SentCommand
        fields = ("command",)
        widgets = {"command": UnfoldAdminSelectWidget()}

    FIELDSETS = (
        (None, {"fields": (("command", "party"),)}),
        ("Where", {"fields": (("location_id", "evse_uid", "connector_id"), "session_id")}),
        ("For whom", {"fields": (("token_uid", "authorization_reference"), "token")}),
        ("Reservation", {"fields": (("reservation_id", "expiry_date"),)}),
        ("Charging profile", {"fields": ("duration", "charging_profile")}),
    )
    ordered_by = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["party"].choices = [(party, party) for party in commandable()]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The command as it will be sent, or why it cannot be."""
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            command, party = Command(found["command"]), PartyId(found["party"])
            try:
                self.prepared = sending.prepare(command, party, self._document(command, found), self.ordered_by)
            except sending.NotSent as error:
                raise forms.ValidationError(str(error)) from None
        return found

    def _document(self, command: Command, found: dict[str, Any]) -> Document:
        """The members that the command has; the fields of others are passed over."""
        names = [*sending.SHAPES[command].__struct_fields__, *(["session_id"] if command in PROFILES else [])]
        given = {name: found.get(name) for name in names}
        if "token" in given:
            given["token"] = given["token"] or _own_token(found["token_uid"])
        if moment := given.get("expiry_date"):
            given["expiry_date"] = times.format(moment)
        return {name: value for name, value in given.items() if value not in (None, "")}

    def save(self, commit: bool = True) -> SentCommand:
        """The prepared row; whoever saves it sends it."""
        return self.prepared

    def save_m2m(self) -> None:
        """There is nothing besides the row."""


def commandable() -> list[str]:
    """The CPOs that a command can reach: of connected platforms, and behind hubs."""
    picture = directory.picture()
    direct = {
        party for peer in picture.peers.values() if peer.connected for role, party in peer.roles if role == Role.CPO
    }
    behind = ClientInfo.objects.filter(role=Role.CPO, source__isnull=False).values_list("owner", flat=True)
    return sorted({str(party) for party in direct} | set(behind))


def _own_token(uid: str) -> Document | None:
    """The Token of ours with this uid; raises ValidationError when it takes more to say which."""
    if not uid:
        return None
    texts = Token.objects.filter(uid=uid.lower(), source=None).values_list("document", flat=True)[:2]
    if len(texts) != 1:
        what = "several Tokens of ours have" if texts else "no Token of ours has"
        raise forms.ValidationError({"token_uid": f"{what} this uid; enter the Token as JSON."})
    token: Document = codec.decode(texts[0].encode())
    return token
