"""The demo's part about money: a CDR that follows from the meter, its audit, and one that was tampered with."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from config.demo import metering, samples
from config.demo.node import Node, expect, wait
from config.demo.samples import CPO, MSP
from ocpi.models import Cdr, Location, Session, Tariff
from ocpi.store.documents import Document
from ocpi.types import codec

_TARIFF = "AC-DAY"
_TAMPERED = Decimal("2.50")  # EUR more than it should be


def play(
    cpo: Node, msp: Node, location: Document, session: Document, directory: Path, step: Callable[..., Any]
) -> None:
    """`session` is the one that the CPO has authorized."""
    tariff = _tariff(cpo)
    document = metering.cdr(session, location, tariff, number=1)
    with step("a CDR from the meter's samples, priced at the CPO") as saw:
        path = directory / "cdr.json"
        path.write_bytes(codec.encode(document))
        priced = cpo.manage("price_cdr", str(path), "--json")
        expect(priced["agrees"], f"price_cdr disagrees: {priced['differences']}")
        cost = document["total_cost"]
        periods = len(document["charging_periods"])
        saw(f"{periods} periods, {document['total_energy']} kWh, {document['total_time']} h")
        saw(f"{cost['excl_vat']} EUR ({cost['incl_vat']} with VAT); price_cdr agrees")
    with step("the CDR is pushed through the hub and received") as saw:
        cpo.import_objects("cdrs", CPO, [document])
        seconds = wait("the CDR arrives", lambda: msp.document(Cdr, document["id"]) == document)
        saw(f"{document['id']} digit for digit at the eMSP after {seconds:.2f} s")
    with step("the eMSP audits it") as saw:
        report = msp.manage("audit_cdrs", "--json")
        expect(report["verdicts"]["ok"] == 1, f"the audit says {report}")
        saw("the price follows from the Tariff that the CPO had published, the Session and the Token: ok")
    _tamper(cpo, msp, location, directory, step)


def _tamper(cpo: Node, msp: Node, location: Document, directory: Path, step: Callable[..., Any]) -> None:
    tariff, card = _tariff(cpo), samples.tokens(MSP)[2]
    session = metering.session(location, card, tariff, number=3, hours_ago=4)
    document = metering.cdr(session, location, tariff, number=3)
    document["total_cost"] = {name: value + _TAMPERED for name, value in document["total_cost"].items()}
    with step("a CDR that was tampered with is caught, and disputed with the evidence") as saw:
        cpo.import_objects("sessions", CPO, [session])
        cpo.import_objects("cdrs", CPO, [document])
        wait("the Session arrives", lambda: msp.document(Session, session["id"]) == session)
        wait("the CDR arrives", lambda: msp.document(Cdr, document["id"]) == document)
        verdicts = {found["id"]: found for found in msp.manage("audit_cdrs", "--json", tolerated=(1,))["cdrs"]}
        found = verdicts.get(document["id"], {})
        expect(list(verdicts) == [document["id"]] and found["verdict"] == "dispute", f"the audit says {verdicts}")
        opened = msp.manage("dispute_cdr", document["id"], "--party", CPO, "--out", str(directory), "--json")
        expect(all(Path(path).stat().st_size for path in opened["files"].values()), f"evidence: {opened['files']}")
        saw(f"claimed {found['claimed']} EUR, should be {found['computed']}")
        saw(f"dispute {opened['dispute']['number']}: {opened['dispute']['reason']}")
    with step("the CPO takes it back: a credit CDR and a corrected one") as saw:
        made = cpo.manage("correct_cdr", document["id"], "--party", CPO, "--reprice", "--json")
        both = (made["credit"], made["replacement"])
        wait("both arrive", lambda: all(msp.document(Cdr, id) for id in both))
        report = msp.manage("audit_cdrs", "--json", tolerated=(1,))
        expect(report["verdicts"]["ok"] == 3 and report["verdicts"]["dispute"] == 1, f"the audit says {report}")
        saw(f"{' and '.join(both)} ({made['total_cost']['excl_vat']} EUR): both ok at the eMSP")


def _tariff(cpo: Node) -> Document:
    return next(found for found in cpo.documents(Tariff).values() if found["id"] == _TARIFF)


def authorized(location: Document, cpo: Node, reference: str) -> Document:
    """The Session of the driver that was authorized, as it will be when it has ended."""
    session = metering.session(location, samples.tokens(MSP)[0], _tariff(cpo), number=1)
    return {**session, "auth_method": "AUTH_REQUEST", "authorization_reference": reference}


def site(cpo: Node) -> Document:
    """A Location that somebody can charge at."""
    return next(found for found in cpo.documents(Location).values() if found.get("evses"))
