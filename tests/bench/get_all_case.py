"""GET All at a hub: a page of what everybody has shared, against a page of our own."""

from tests.bench import data, load, nodes
from tests.bench.load import Target
from tests.bench.nodes import LOCATIONS, Partner
from tests.bench.options import Options
from tests.bench.report import Figure

_OWNERS, _EACH, _LIMIT = 20, 5_000, 100
_PARTIES = "HUB:NL*HUB:Example Hub,CPO:NL*OCP:Example Charging"
_OWN = "NL*OCP"
EMSP = Partner("emsp", "DE*BEN", "EMSP")


def get_all(options: Options) -> list[Figure]:
    """The first page of 100,000 Locations of twenty CPOs."""
    with nodes.node("get_all", _PARTIES, options.directory) as node:
        owners = [Partner(f"cpo {number}", f"NL*C{number:02}", "CPO") for number in range(_OWNERS)]
        sources = node.connect(EMSP, *owners)
        data.fill(node.database, _OWN, _EACH, with_evses=_EACH)
        for owner in owners:
            data.fill(node.database, owner.party, _EACH, with_evses=0, source=sources[owner.name])
        headers = {**nodes.headers(EMSP.party), "OCPI-to-country-code": "NL"}
        with node.web() as process:
            url = f"{node.url}{LOCATIONS}?limit={_LIMIT}"
            targets = [
                Target("everybody's", process, url, {**headers, "OCPI-to-party-id": "HUB"}),
                Target("our own", process, url, {**headers, "OCPI-to-party-id": "OCP"}),
            ]
            rounds = load.interleaved(targets, options.rounds, options.seconds, options.postgres)
    everybody, own = (load.median(rounds[target.name]) for target in targets)
    ratio = everybody.rate / own.rate
    return [
        Figure(
            "get_all",
            f"GET All, page of {_LIMIT} of {_OWNERS * _EACH:,} Locations of {_OWNERS} CPOs",
            f"{everybody.rate:,.0f} req/s; a page of our own {own.rate:,.0f} req/s",
            "≥ 0.9 x our own",
            ratio,
            ratio >= 0.9,
            load.details(rounds),
        )
    ]
