"""The audit of stored CDRs, by one worker."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg

from tests.bench import nodes, processes
from tests.bench.options import Options
from tests.bench.report import Figure

_CDRS = 100_000
_PARTY = "DE*CPO"


def _write(path: Path) -> None:
    """CDRs of one CPO, each of another session, driver and EVSE; every tenth claims too much."""
    from ocpi.types import codec, times
    from tests.kit.objects import cdr, cdr_token, charging_period, price, tariff

    rate = {"type": "ENERGY", "price": Decimal("0.25"), "vat": Decimal(20), "step_size": 1}
    own = tariff(country_code="DE", party_id="CPO", elements=[{"price_components": [rate]}])
    place, begin = cdr()["cdr_location"], datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    period = charging_period(start_date_time=times.format(begin))
    documents = []
    for number in range(_CDRS):
        net = Decimal("0.3125") + (number % 10 == 0)
        documents.append(
            cdr(
                country_code="DE",
                party_id="CPO",
                id=f"C{number}",
                session_id=f"S{number}",
                cdr_token=cdr_token(uid=f"T{number}"),
                cdr_location={**place, "evse_id": f"DE*CPO*E{number}"},
                start_date_time=times.format(begin),
                end_date_time=times.format(begin + timedelta(minutes=15)),
                charging_periods=[period],
                tariffs=[own],
                total_cost=price(str(net), str(net * Decimal("1.2"))),
            )
        )
    path.write_bytes(codec.encode(documents))


def audit(options: Options) -> list[Figure]:
    """`audit_cdrs` over stored CDRs, each with its tariff, by one process."""
    file = options.directory / "cdrs.json"
    _write(file)
    with nodes.node("audit", f"CPO:{_PARTY}:Charging", options.directory) as node:
        node.command("manage.py", "import_objects", "cdrs", str(file), "--party", _PARTY, "--json")
        with psycopg.connect(node.database, autocommit=True) as connection:
            connection.execute("UPDATE ocpi_cdr SET source = 1")
            connection.execute("VACUUM ANALYZE ocpi_cdr")  # as autovacuum does within the minute
        found = node.command("manage.py", "audit_cdrs", "--json", core=processes.PRODUCT_CORE, tolerated=(0, 1))
    rate = found["audited"] / found["seconds"]
    return [
        Figure(
            "audit",
            f"audit of {found['audited']:,} stored CDRs, one worker",
            f"{found['seconds']:.0f} s, {rate:,.0f}/s",
            "100,000 in < 120 s",
            None,
            found["seconds"] < 120 and (found["audited"], found["verdicts"]["dispute"]) == (_CDRS, _CDRS / 10),
        )
    ]
