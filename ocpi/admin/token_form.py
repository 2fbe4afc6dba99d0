"""Tokens of our own as staff issue and change them; what is wrong stands at its field."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from ocpi.admin import token_members as members
from ocpi.ids import PartyId
from ocpi.models import Token
from ocpi.store.documents import Document
from ocpi.store.tokens import Terms, token_key
from ocpi.types import codec
from ocpi.v221.common import ProfileType, TokenType
from ocpi.v221.tokens import WhitelistType


def _text(label: str, help_text: str = "", *, required: bool = False) -> forms.CharField:
    widget = UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"})
    return forms.CharField(label=label, help_text=help_text, required=required, widget=widget)


def _choice(label: str, values: Iterable[str], help_text: str = "", **options: Any) -> forms.ChoiceField:
    choices = [(str(value), str(value)) for value in values]
    return forms.ChoiceField(
        label=label, help_text=help_text, choices=choices, widget=UnfoldAdminSelectWidget(), **options
    )


class TokenForm(forms.ModelForm):
    """What of a Token can change: everything but its owner, uid and type; whether it is valid is an action's matter."""

    contract_id = _text("Contract id", "The eMA ID of the contract", required=True)
    visual_number = _text("Visual number", "As printed on the card")
    issuer = _text("Issuer", "As printed on the card; left empty: the name of the party")
    group_id = _text("Group id", "Tokens of one group may stop each other's sessions")
    whitelist = _choice(
        "Whitelist",
        WhitelistType,
        "Whether CPOs must ask us each time (NEVER), or need not (ALWAYS)",
        initial=WhitelistType.ALLOWED.value,
    )
    language = _text("Language", "Two letters, for example: en")
    default_profile_type = _choice("Default profile type", ("", *ProfileType), required=False)
    energy_supplier = _text("Energy supplier", "Of the driver's own energy contract")
    energy_contract_id = _text("Energy contract id")

    class Meta:
        model = Token
        fields = ("expires_at", "has_credit", "places")
        help_texts = {"expires_at": "UTC, for example 2027-01-31 12:00; left empty: never"}
        widgets = {
            "expires_at": UnfoldAdminTextInputWidget,
            "has_credit": UnfoldBooleanSwitchWidget,
            "places": UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        }

    ORDER: ClassVar[tuple[tuple[str | tuple[str, ...], ...], ...]] = (
        ("Token", ("contract_id", "issuer"), ("visual_number", "group_id"), ("language", "default_profile_type")),
        ("Whether it may charge", "whitelist", ("expires_at", "has_credit"), "places"),
        ("Energy contract", ("energy_supplier", "energy_contract_id")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.base: Document = codec.decode(self.instance.document.encode()) if self.instance.pk else {}
        for name in members.MEMBERS.keys() & self.fields.keys() if self.base else ():
            self.initial[name] = members.value(self.base, name)

    def clean_places(self) -> str:
        try:
            return members.places(self.cleaned_data["places"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def clean(self) -> dict[str, Any]:
        """The document as it will be stored, or what is wrong with it."""
        found: dict[str, Any] = super().clean() or self.cleaned_data
        self.values = {name: _given(found[name]) for name in members.MEMBERS if name in found}
        self.document = self._document(found)
        for name, messages in members.faults(self.document).items() if self.document else ():
            field = name if name in self.fields else None
            if field not in self.errors:
                self.add_error(field, messages)
        return found

    def _document(self, found: dict[str, Any]) -> Document:
        self.values["issuer"] = self.values.get("issuer") or members.issuers().get(PartyId(self.instance.owner))
        return members.revised(self.base, self.values)

    @property
    def terms(self) -> Terms:
        found = self.cleaned_data
        return Terms.of(found["expires_at"], found["has_credit"], found["places"])

    def save(self, commit: bool = True) -> Token:
        """The row as it is; the store writes it."""
        return self.instance  # type: ignore[no-any-return]

    def save_m2m(self) -> None:
        """A Token has no related rows to save."""


class IssueForm(TokenForm):
    party = _choice("Party", (), "The eMSP that issues the Token: one of our own parties")
    uid = _text(
        "Uid", "What the reader of a charge point reads; for RFID hexadecimal, as the card has it", required=True
    )
    type = _choice("Type", TokenType, initial=TokenType.RFID.value)
    valid = forms.BooleanField(
        label="Valid", required=False, initial=True, help_text="Off: blocked", widget=UnfoldBooleanSwitchWidget()
    )

    ORDER = (("Identity", "party", ("uid", "type"), "valid"), *TokenForm.ORDER)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["party"].choices = [  # type: ignore[attr-defined]
            (str(party), f"{party} {name}") for party, name in members.issuers().items()
        ]

    def _document(self, found: dict[str, Any]) -> Document:
        if "party" not in found:
            return {}
        party = PartyId(found["party"])
        return members.fresh(party, self.values, members.issuers()[party])

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        if {"party", "uid", "type"} <= found.keys() and issued(PartyId(found["party"]), found["uid"], found["type"]):
            self.add_error("uid", f"{found['party']} has issued this {found['type']} Token already.")
        return found


def issued(party: PartyId, uid: str, type: str) -> Token | None:
    """The Token of this party with this uid and type, if there is one."""
    return Token.objects.filter(owner=party, key=token_key(uid, type)).first()


def _given(value: Any) -> Any:
    return None if value == "" else value
