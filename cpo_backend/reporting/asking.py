"""Which figures a report is of: a period of days, perhaps one site or partner, and what its lines are by."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from django.db.models import QuerySet

from cpo_backend.models import CdrFigures
from ocpi.ids import PartyId

_MOST_DAYS = 3700


class Kind(StrEnum):
    """What a report is about."""

    ENERGY = "energy"
    SESSIONS = "sessions"
    REVENUE = "revenue"
    AVERAGE = "average"
    UTILISATION = "utilisation"


class By(StrEnum):
    """What has a line of its own."""

    SITE = "site"
    EVSE = "evse"
    PARTNER = "partner"
    MONTH = "month"
    DAY = "day"


class Unaskable(ValueError):
    """What is wrong with a question, in words for who asked."""


@dataclass(frozen=True, slots=True)
class Question:
    """The days are both included, by the clock of each site; an empty filter lets everything through."""

    first: date
    last: date
    by: By = By.MONTH
    owner: str = ""
    site: str = ""
    partner: str = ""

    @classmethod
    def asked(cls, first: date, last: date, by: By = By.MONTH, *, site: str = "", partner: str = "") -> "Question":
        """The question in the words of people: `site` is ID or CC*PID/ID, `partner` CC*PID; raises `Unaskable`."""
        if last < first:
            raise Unaskable("the period ends before it begins")
        if not (first.year >= 2000 and last.year <= 9000):
            raise Unaskable("there is no such year")
        if (last - first).days > _MOST_DAYS:
            raise Unaskable("a report is of ten years at most")
        owner, slash, key = site.strip().lower().partition("/")
        try:
            return cls(
                first,
                last,
                by,
                PartyId.parse(owner) if slash and "*" in owner else "",
                key if slash and "*" in owner else site.strip().lower(),
                PartyId.parse(partner) if partner.strip() else "",
            )
        except ValueError as error:
            raise Unaskable(str(error)) from None

    def rows(self) -> QuerySet[CdrFigures]:
        """The figures of the period, those without figures included."""
        chosen = {"owner": self.owner, "location_key": self.site, "partner": self.partner}
        wanted = {name: value for name, value in chosen.items() if value}
        return CdrFigures.objects.filter(day__gte=self.first, day__lte=self.last, **wanted)

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]
