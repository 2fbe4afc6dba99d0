"""What more than one chapter uses (§types_types, and classes whose chapters refer to each other)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from enum import auto

from ocpi.types.scalars import (
    Broken,
    CiString4,
    Language,
    Latitude,
    Longitude,
    Members,
    Number,
    OpenEnum,
    Percentage,
    Pixels,
    String64,
    String100,
    String512,
    Url,
    Wire,
)


def indexed(members: Members, name: str) -> Iterator[tuple[str, Members]]:
    """The objects in a list member, each with its pointer."""
    items = members.get(name)
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield f"/{name}/{index}", item


def quantity(members: Members, name: str) -> Decimal | None:
    """The number in a member, if it is one that can be compared."""
    value = members.get(name)
    if isinstance(value, int) or (isinstance(value, Decimal) and value.is_finite()):
        return Decimal(value)
    return None


def repeated(members: Members, name: str, *key: str) -> Iterator[Broken]:
    """Objects in a list member whose key, compared case-insensitively, an earlier one has."""
    items = members.get(name)
    if not isinstance(items, list) or len(items) < 2:
        return
    seen: set[tuple[str, ...]] = set()
    for index, item in enumerate(items):
        try:
            folded = tuple([item[part].casefold() for part in key])
        except (AttributeError, KeyError, TypeError):
            continue  # a missing or mistyped key is reported as that
        if folded in seen:
            at = f"/{name}/{index}/{key[0]}"
            yield Broken(at, f"the same {', '.join(key)} occurs before in {name}", fatal=True)
        seen.add(folded)


class DisplayText(Wire):
    """A text in one language, to be shown to a person (§types_displaytext_class)."""

    language: Language
    text: String512


class Price(Wire):
    """An amount without and, when it applies, with VAT (§types_price_class)."""

    excl_vat: Number
    incl_vat: Number | None = None


class Role(OpenEnum):
    """What a party does in roaming (§types_role_enum)."""

    CPO = auto()
    EMSP = auto()
    HUB = auto()
    NAP = auto()
    NSP = auto()
    OTHER = auto()
    SCSP = auto()


class TokenType(OpenEnum):
    """What a driver identifies with (§mod_tokens_tokentype_enum)."""

    AD_HOC_USER = auto()
    APP_USER = auto()
    OTHER = auto()
    RFID = auto()


class ProfileType(OpenEnum):
    """What smart charging optimises for (§mod_sessions_profile_type_enum)."""

    CHEAP = auto()
    FAST = auto()
    GREEN = auto()
    REGULAR = auto()


class GeoLocation(Wire):
    """A WGS 84 position, as text (§mod_locations_geolocation_class)."""

    latitude: Latitude
    longitude: Longitude


class BusinessDetails(Wire):
    """A company as presented to drivers (§mod_locations_businessdetails_class)."""

    name: String100
    website: Url | None = None
    logo: Image | None = None


class Image(Wire):
    """A picture and where to find it (§mod_locations_image_class)."""

    url: Url
    thumbnail: Url | None = None
    category: ImageCategory
    type: CiString4
    width: Pixels | None = None
    height: Pixels | None = None


class ImageCategory(OpenEnum):
    """What a picture shows (§mod_locations_imagecategory_enum)."""

    CHARGER = auto()
    ENTRANCE = auto()
    LOCATION = auto()
    NETWORK = auto()
    OPERATOR = auto()
    OTHER = auto()
    OWNER = auto()


class EnergyMix(Wire):
    """Where the energy comes from and what it costs the environment (§mod_locations_energymix_class)."""

    is_green_energy: bool
    energy_sources: list[EnergySource] | None = None
    environ_impact: list[EnvironmentalImpact] | None = None
    supplier_name: String64 | None = None
    energy_product_name: String64 | None = None


class EnergySource(Wire):
    """The share of one source in the mix (§mod_locations_energysource_class)."""

    source: EnergySourceCategory
    percentage: Percentage


class EnergySourceCategory(OpenEnum):
    """Kinds of energy sources (§mod_locations_energysourcecategory_enum)."""

    NUCLEAR = auto()
    GENERAL_FOSSIL = auto()
    COAL = auto()
    GAS = auto()
    GENERAL_GREEN = auto()
    SOLAR = auto()
    WIND = auto()
    WATER = auto()


class EnvironmentalImpact(Wire):
    """What is emitted per kWh, in grams (§mod_locations_environmentalimpact_class)."""

    category: EnvironmentalImpactCategory
    amount: Number


class EnvironmentalImpactCategory(OpenEnum):
    """Kinds of emissions (§mod_locations_environmentalimpactcategory_enum)."""

    NUCLEAR_WASTE = auto()
    CARBON_DIOXIDE = auto()
