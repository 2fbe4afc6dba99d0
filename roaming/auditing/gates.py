"""What cannot be, or was seen before: one gate for each; what they know is in the evidence. Pure."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from ocpi.store.documents import Document, objects
from roaming.auditing.evidence import Evidence
from roaming.auditing.findings import Finding, Severity

Gate = Callable[[Evidence, datetime], Iterator[Finding]]

_AHEAD = timedelta(minutes=15)  # clocks differ
_OLDEST = timedelta(days=90)  # what eMSPs commonly still pay
_POWER_MARGIN = Decimal("1.1")  # a connector's power is a nominal one
_ENERGY_MARGIN = Decimal("0.01")  # kWh between Session and CDR


def number(document: Document | None, name: str) -> Decimal | None:
    """A number in a document; None for anything else."""
    found = (document or {}).get(name)
    return Decimal(found) if isinstance(found, (int, Decimal)) and not isinstance(found, bool) else None


def _total(document: Document, name: str = "total_cost") -> Decimal | None:
    total = document.get(name)
    return number(total, "excl_vat") if isinstance(total, dict) else None


def no_energy(evidence: Evidence, now: datetime) -> Iterator[Finding]:
    """Nothing was charged, and something is to be paid, though not for a reservation that nobody used."""
    total = _total(evidence.document)
    reservation = _total(evidence.document, "total_reservation_cost")
    if number(evidence.document, "total_energy") == 0 and total and total != reservation:
        yield Finding("no_energy", Severity.HOLD, f"0 kWh cost {total}", "/total_energy")


def times(evidence: Evidence, now: datetime) -> Iterator[Finding]:
    """It ends before it begins, has not ended yet, or ended too long ago."""
    begin, end = evidence.facts.started_at, evidence.facts.ended_at
    if end < begin:
        yield Finding("ends_before_it_begins", Severity.HOLD, f"from {begin:%c} to {end:%c}", "/end_date_time")
    if end > now + _AHEAD:
        yield Finding("in_the_future", Severity.HOLD, f"it ends at {end:%c}, and now is {now:%c}", "/end_date_time")
    if end < now - _OLDEST:
        yield Finding("too_old", Severity.HOLD, f"it ended {(now - end).days} days ago", "/end_date_time")


def power(evidence: Evidence, now: datetime) -> Iterator[Finding]:
    """More energy than the connector can deliver in the time."""
    energy, most = number(evidence.document, "total_energy"), _most_watts(evidence)
    seconds = (evidence.facts.ended_at - evidence.facts.started_at).total_seconds()
    if energy is None or most is None or seconds <= 0:
        return
    average = energy * 3_600_000 / Decimal(int(seconds) or 1)
    if average > most * _POWER_MARGIN:
        yield Finding(
            "above_connector_power",
            Severity.HOLD,
            f"{energy} kWh in {int(seconds) // 60} min are {average / 1000:.1f} kW; "
            f"the connector delivers {most / 1000:.1f} kW",
            "/total_energy",
            {"average_watts": average.quantize(Decimal(1)), "most_watts": most},
        )


def _most_watts(evidence: Evidence) -> Decimal | None:
    """What the Connector delivers, as far as its Location tells (W)."""
    place = evidence.document["cdr_location"]
    for evse in objects(evidence.location or {}, "evses"):
        if str(evse.get("uid")).lower() != str(place.get("evse_uid")).lower():
            continue
        for connector in objects(evse, "connectors"):
            if str(connector.get("id")).lower() == str(place.get("connector_id")).lower():
                return _watts(connector)
    return None


def _watts(connector: Document) -> Decimal | None:
    if power := number(connector, "max_electric_power"):
        return power
    volts, amperes = number(connector, "max_voltage"), number(connector, "max_amperage")
    if volts is None or amperes is None:
        return None
    phases = {"AC_3_PHASE": 3, "AC_2_PHASE": 2, "AC_2_PHASE_SPLIT": 2}.get(str(connector.get("power_type")), 1)
    return volts * amperes * phases


def repeated(evidence: Evidence, now: datetime) -> Iterator[Finding]:
    """Another CDR of the same session, that was not credited."""
    if evidence.document.get("credit") is True:
        return
    credited = {str(other.get("credit_reference_id")).lower() for other in evidence.others if other.get("credit")}
    for other in evidence.others:
        if other.get("credit") is not True and str(other.get("id")).lower() not in credited:
            message = f"CDR {other.get('id')} is about the same Session {other.get('session_id')} and was not credited"
            yield Finding("repeated", Severity.HOLD, message, "/session_id", {"cdr": other.get("id")})


def overlaps(evidence: Evidence, now: datetime) -> Iterator[Finding]:
    """The same Token or EVSE at the same time in another CDR."""
    if evidence.document.get("credit") is True:
        return
    session = {str(other.get("id")).lower() for other in evidence.others}
    for other in evidence.overlapping:
        if other.cdr.key in session:
            continue  # told as repeated, or credited
        same_place = other.evse_id == evidence.facts.evse_id and other.owner == evidence.facts.owner
        what = "EVSE was in use" if same_place else "Token was charging elsewhere"
        message = f"the {what} at the same time, by CDR {other.cdr.key} of {other.owner}"
        yield Finding(
            "overlaps",
            Severity.HOLD,
            message,
            "/start_date_time",
            {"cdr": other.cdr.key, "owner": str(other.owner), "from": other.started_at, "to": other.ended_at},
        )


def session(evidence: Evidence, now: datetime) -> Iterator[Finding]:
    """The Session that we followed says something else, or there was none."""
    if not evidence.document.get("session_id"):
        return
    if evidence.session is None:
        yield Finding("unknown_session", Severity.NOTE, "we know of no such Session", "/session_id")
        return
    told, billed = number(evidence.session, "kwh"), number(evidence.document, "total_energy")
    if told is not None and billed is not None and billed > told + _ENERGY_MARGIN and _is_over(evidence.session):
        message = f"{billed} kWh are billed; the Session ended with {told} kWh"
        yield Finding("more_than_the_session", Severity.DISPUTE, message, "/total_energy", {"session_kwh": told})
    token = evidence.session.get("cdr_token")
    if isinstance(token, dict) and str(token.get("uid")).lower() != evidence.facts.token_uid:
        yield Finding("another_token", Severity.HOLD, "the Session was of another Token", "/cdr_token/uid")


def _is_over(session: Document) -> bool:
    return session.get("status") == "COMPLETED"


def driver(evidence: Evidence, now: datetime) -> Iterator[Finding]:
    """A Token in our name that we have not issued, or an authorization that we have not given."""
    if not evidence.is_our_driver:
        return
    if evidence.token is None:
        yield Finding("unknown_token", Severity.HOLD, "we have issued no such Token", "/cdr_token/uid")
    if evidence.is_authorized is False:
        message = f"we know of no authorization {evidence.document['authorization_reference']}"
        yield Finding("unknown_authorization", Severity.NOTE, message, "/authorization_reference")


def place(evidence: Evidence, now: datetime) -> Iterator[Finding]:
    """A Location that we do not know."""
    if evidence.location is None:
        yield Finding("unknown_location", Severity.NOTE, "we know of no such Location", "/cdr_location/id")


def credit(evidence: Evidence, now: datetime) -> Iterator[Finding]:
    """A credit CDR gives back what its CDR took (§mod_cdrs_credit_cdrs)."""
    if evidence.document.get("credit") is not True:
        return
    if evidence.original is None:
        yield Finding("credits_nothing", Severity.HOLD, "we know of no CDR that it credits", "/credit_reference_id")
        return
    given, taken = _total(evidence.document), _total(evidence.original)
    if given is not None and taken is not None and given != -taken:
        message = f"it gives back {-given} of {taken}"
        yield Finding("credits_another_amount", Severity.DISPUTE, message, "/total_cost", {"taken": taken})


GATES: tuple[Gate, ...] = (no_energy, times, power, repeated, overlaps, session, driver, place, credit)
ORPHANS = ("unknown_session", "unknown_location", "unknown_token", "unknown_authorization", "credits_nothing")


def check(evidence: Evidence, now: datetime) -> list[Finding]:
    """What all gates find."""
    return [finding for gate in GATES for finding in gate(evidence, now)]
