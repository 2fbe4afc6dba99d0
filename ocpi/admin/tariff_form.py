"""Tariffs of our own as staff write them: by what is paid for, or as JSON. What is wrong stands at its field."""

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import msgspec
from django import forms
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from ocpi import ports
from ocpi.admin import tariff_lines as lines
from ocpi.admin.tariff_preview import Preview, Refused, previews
from ocpi.ids import PartyId
from ocpi.pricing.building.making import build
from ocpi.pricing.building.plans import Parking, Plan, Reservation
from ocpi.pricing.faults import BadInput
from ocpi.pricing.zones import place_named
from ocpi.store.documents import Document
from ocpi.types import codec, times
from ocpi.v221.common import Role
from ocpi.v221.tariffs import TariffType


def _text(label: str, help_text: str = "", *, required: bool = False, **options: Any) -> forms.CharField:
    widget = UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"})
    return forms.CharField(label=label, help_text=help_text, required=required, widget=widget, **options)


def _price(label: str, help_text: str = "") -> forms.DecimalField:
    return forms.DecimalField(label=label, help_text=help_text, required=False, widget=UnfoldAdminTextInputWidget)


def _lines(label: str, help_text: str) -> forms.CharField:
    widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})
    return forms.CharField(label=label, help_text=help_text, required=False, widget=widget)


def _moment(label: str) -> forms.DateTimeField:
    widget = UnfoldAdminTextInputWidget(attrs={"placeholder": "2026-01-31 12:00"})
    return forms.DateTimeField(label=label, required=False, help_text="UTC", widget=widget)


def sellers() -> list[PartyId]:
    """Our own CPO parties."""
    roles = (role for role in ports.directory().roles() if role["role"] == Role.CPO)
    return sorted({PartyId.of(role["country_code"], role["party_id"]) for role in roles})


class TariffForm(forms.Form):
    """What every form of Tariffs ends in: `documents` as they will be stored, and a preview of each."""

    zone = _text("Time zone", "Of the charge points, for months and for the sample sessions", initial="UTC")

    documents: list[Document]
    previews: list[Preview]

    def clean_zone(self) -> str:
        zone: str = self.cleaned_data["zone"] or "UTC"
        try:
            return place_named(zone).zone
        except BadInput as fault:
            raise forms.ValidationError(fault.message) from None

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        self.documents, self.previews = [], []
        if not self.errors:
            try:
                self.documents = self.written(found)
                self.previews = previews(self.documents, found["zone"])
            except Refused as refused:
                self.add_error(self.WRONG, refused.sentences)
        return found

    WRONG: ClassVar[str | None] = None  # the field at which stands what is wrong with the whole Tariff

    def written(self, found: dict[str, Any]) -> list[Document]:
        """The documents; raises `Refused`."""
        raise NotImplementedError


class BuildForm(TariffForm):
    """A Tariff by what is paid for; everything that is left empty is not paid for."""

    party = forms.ChoiceField(label="Party", widget=UnfoldAdminSelectWidget, help_text="The CPO: one of our own")
    id = _text("Id", "A price list by month adds the month to it", required=True, max_length=36)
    currency = _text("Currency", "ISO 4217", required=True, max_length=3, initial="EUR")
    type = forms.ChoiceField(
        label="For",
        required=False,
        choices=[("", "all sessions"), *((str(type), str(type)) for type in TariffType)],
        widget=UnfoldAdminSelectWidget,
        help_text="A Connector has one Tariff of a type at a time",
    )
    vat = _price("VAT (%)", "Prices below are without it; left empty: none applies")
    is_free = forms.BooleanField(label="Charging is free", required=False, widget=UnfoldBooleanSwitchWidget())
    per_kwh = _price("Price per kWh")
    windows = _lines("Other prices per kWh by time of day", "A line each: 17:00-20:00 0.59 Mon-Fri; local times")
    months = _lines("Prices per kWh by month", "Instead of one price; a line and a Tariff each: 2026-03 0.49")
    start_fee = _price("Start fee")
    per_hour = _price("Price per hour of charging")
    parking_per_hour = _price("Price per hour of parking after charging")
    parking_free_minutes = forms.IntegerField(
        label="Parking is free for (minutes)",
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Counted from the start of the session, for OCPI cannot count from the end of charging",
    )
    reservation_fee = _price("Reservation fee")
    reservation_per_hour = _price("Price per hour of a reservation", "Also of one that expires")
    expiry_fee = _price("Fee for a reservation that expires", "Instead of the reservation fee")
    least = _price("A session costs at least")
    most = _price("A session costs at most")
    starts, ends = _moment("Valid from"), _moment("Valid until")

    ORDER: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = (
        ("Tariff", ("party", "id", "type", "currency", "vat", "zone", "starts", "ends")),
        ("Charging", ("is_free", "per_kwh", "windows", "months", "per_hour", "start_fee", "least", "most")),
        ("Parking", ("parking_per_hour", "parking_free_minutes")),
        ("Reservation", ("reservation_fee", "reservation_per_hour", "expiry_fee")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["party"].choices = [(str(party), str(party)) for party in sellers()]  # type: ignore[attr-defined]

    @property
    def sections(self) -> Iterator[tuple[str, Iterable[Any]]]:
        """The fields as the page shows them."""
        for title, names in self.ORDER:
            yield title, [self[name] for name in names]

    def clean_windows(self) -> Any:
        return self._read("windows", lines.windows)

    def clean_months(self) -> Any:
        return self._read("months", lines.months)

    def _read(self, name: str, read: Any) -> Any:
        try:
            return read(self.cleaned_data[name])
        except lines.BadLine as error:
            raise forms.ValidationError(str(error)) from None

    def written(self, found: dict[str, Any]) -> list[Document]:
        try:
            return build(_plan(found), times.now())
        except BadInput as fault:
            field, message = _field(fault)
            self.add_error(field, message)
            return []


class JsonForm(TariffForm):
    """A Tariff as JSON, for what no form covers; `base` is the stored one that it replaces."""

    document = forms.CharField(
        label="Tariff", widget=UnfoldAdminTextareaWidget(attrs={"rows": 30, "class": "font-mono"})
    )
    WRONG = "document"

    def __init__(self, data: Any, base: Document) -> None:
        super().__init__(data, initial={"document": msgspec.json.format(codec.encode_text(base), indent=2)})
        self._base = base

    @property
    def sections(self) -> Iterator[tuple[str, Iterable[Any]]]:
        """The fields as the page shows them."""
        yield "As JSON", [self["document"]]
        yield "Sample sessions", [self["zone"]]

    def written(self, found: dict[str, Any]) -> list[Document]:
        try:
            document = codec.decode(found["document"].encode())
        except codec.MalformedJson as error:
            raise Refused([f"This is not JSON: {error}"]) from None
        if not isinstance(document, dict):
            raise Refused(["This is not a Tariff object."])
        if moved := [name for name in ("country_code", "party_id", "id") if document.get(name) != self._base[name]]:
            raise Refused([f"/{name}: stays {self._base[name]}" for name in moved])
        return [document | {"last_updated": times.now()}]


def _plan(found: dict[str, Any]) -> Plan:
    party = PartyId(found["party"])
    parking, reservation = found["parking_per_hour"], _reservation(found)
    if parking is None and found["parking_free_minutes"] is not None:
        raise BadInput("is needed: what parking costs afterwards", "parking", "per_hour")
    same = (
        "id",
        "type",
        "vat",
        "is_free",
        "per_kwh",
        "windows",
        "months",
        "per_hour",
        "start_fee",
        "least",
        "most",
        "starts",
    )
    return Plan(
        country_code=party.country_code,
        party_id=party.party_id,
        currency=found["currency"].upper(),
        parking=None if parking is None else Parking(per_hour=parking, free_minutes=found["parking_free_minutes"] or 0),
        reservation=reservation,
        ends=found["ends"],
        zone=found["zone"],
        **{name: found[name] for name in same},
    )


def _reservation(found: dict[str, Any]) -> Reservation | None:
    prices = [found[name] for name in ("reservation_fee", "reservation_per_hour", "expiry_fee")]
    fee, per_hour, expiry_fee = prices
    if all(price is None for price in prices):
        return None
    return Reservation(fee=fee, per_hour=per_hour, expiry_fee=expiry_fee)


def _field(fault: BadInput) -> tuple[str | None, str]:
    """The field of the form that is at fault in a plan, and what to say there."""
    first, *rest = fault.path or ("",)
    match first:
        case "windows" | "months":
            return str(first), f"Line {int(rest[0]) + 1}: {fault.message}"
        case "parking":
            return f"parking_{rest[0]}", fault.message
        case "reservation":
            return {"expiry_fee": "expiry_fee", "per_hour": "reservation_per_hour"}.get(
                str(rest[0]), "reservation_fee"
            ), fault.message
    return (str(first) if first in BuildForm.base_fields else None), fault.message
