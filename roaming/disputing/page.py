"""A dispute for the partner: as one JSON document, and as one HTML page that needs nothing else and can be printed."""

import re
from typing import Any

import msgspec
from django.template.loader import render_to_string

from ocpi.store.documents import Document
from ocpi.types import codec
from roaming.dispute_models import Dispute


def document(dispute: Dispute) -> Document:
    """The dispute as it stands, and the evidence as it was when it was opened."""
    return {
        "dispute": {
            "number": dispute.pk,
            "state": dispute.state,
            "reason": dispute.reason,
            "amount_at_stake_excl_vat": dispute.amount,
            "currency": dispute.currency,
            "opened_at": dispute.opened_at,
            "steps": [{"state": step.state, "at": step.at} for step in dispute.steps.order_by("pk")],
            "credit_cdr": dispute.credit and dispute.credit.key,
        },
        "evidence": codec.decode(dispute.evidence.encode()),
    }


def html(dispute: Dispute) -> str:
    """The page. Whatever a partner wrote is escaped, and the page may neither load nor run anything."""
    found = codec.decode(codec.encode(document(dispute)))
    evidence = found["evidence"]
    appendix = [
        ("The CDR", evidence["cdr"]["text"]),
        *(
            (f"Tariff {tariff['id']}, {tariff['source']}", _pretty(tariff["document"]))
            for tariff in evidence["tariffs"]
        ),
        *((title, _pretty(evidence[name])) for title, name in _DOCUMENTS if evidence[name]),
    ]
    return render_to_string("roaming/dispute.html", {**found, "appendix": appendix, "pricing": evidence["pricing"]})


def file_name(dispute: Dispute, ending: str) -> str:
    """A name that any file system takes, whatever id the partner gave its CDR."""
    return f"dispute-{dispute.pk}-{re.sub(r'[^A-Za-z0-9-]', '_', dispute.cdr.key)[:60]}.{ending}"


_DOCUMENTS = (
    ("The Session", "session"),
    ("The Location", "location"),
    ("The Token", "token"),
    ("The authorization", "authorization"),
)


def _pretty(value: Any) -> str:
    return msgspec.json.format(codec.encode_text(value), indent=2)
