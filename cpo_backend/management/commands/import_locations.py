"""`import_locations`: charging sites from the German federal register or OCPI JSON into own Locations."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from cpo_backend.register import SiteList, UnreadableRegister, bnetza, ocpi_json
from cpo_backend.register.importing import keep_live, store_sites
from ocpi import ports
from ocpi.cli import BAD_INPUT, PARTLY, NodeCommand, fail, progress
from ocpi.ids import PartyId
from ocpi.store.locations import locations
from ocpi.store.objects import Objects, Reconcile
from ocpi.types import times


class Command(NodeCommand):
    help = (
        "Import charging sites into own Locations. Importing the same file again changes nothing; live EVSE status is "
        "never overwritten by a register. Exit code 3 when some rows were rejected: each is reported with its reason."
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV or JSON, may be gzipped")
        parser.add_argument("--party", required=True, help="the own CPO party that owns the Locations, CC*PID")
        parser.add_argument(
            "--format",
            choices=("bnetza", "ocpi"),
            help="bnetza: register of the Bundesnetzagentur (CSV); ocpi: JSON list or lines. Default: by file name",
        )

    def run(self, **options: Any) -> tuple[Mapping[str, Any], int]:
        owner = own_party(options["party"])
        format = options["format"] or ("ocpi" if ".json" in options["file"].name else "bnetza")
        from_register = format == "bnetza"
        read = partial(_read_register, owner=owner) if from_register else ocpi_json.read_sites
        return import_file(
            options["file"], read, locations, owner, keep_live if from_register else None, shown=not options["json"]
        )

    def show(self, result: Mapping[str, Any]) -> None:
        super().show({name: value for name, value in result.items() if name not in {"rejections", "remarks"}})
        for row in result["rejections"]:
            self.stdout.write(f"  line {row['line']}: {row['code']}: {row['reason']} ({row['where']})")
        for code, count in Counter(remark["code"] for remark in result["remarks"]).most_common():
            self.stdout.write(f"  remark {code}: {count}")


def _read_register(file: Path, owner: PartyId) -> SiteList:
    return bnetza.read_sites(file, (owner.country_code, owner.party_id), last_updated=times.now())


def import_file(
    file: Path,
    read: Callable[[Path], SiteList],
    store: Objects,
    owner: PartyId,
    reconcile: Reconcile | None = None,
    *,
    shown: bool,
) -> tuple[Mapping[str, Any], int]:
    """Import a file into a module's own objects; returns the report and the exit code."""
    started = time.monotonic()
    try:
        sites = read(file)
    except UnreadableRegister as error:
        fail(str(error), BAD_INPUT)
    with progress(f"Importing {store.module.value}", shown=shown) as advance:
        outcome, rejected = store_sites(sites, owner, store, reconcile=reconcile, progress=advance)
    seconds = time.monotonic() - started
    result = {
        **outcome._asdict(),
        "rejected": len(rejected),
        "seconds": round(seconds, 3),
        "per_second": round(sum(outcome) / seconds),
        "rejections": [asdict(row) for row in rejected],
        "remarks": [asdict(remark) for remark in sites.remarks],
    }
    if store is locations:
        result["rejected_charging_points"] = sum(row.charging_points for row in rejected)
        result["evses"] = sum(len(site.document.get("evses") or ()) for site in sites.sites)
    return result, PARTLY if rejected else 0


def own_party(text: str) -> PartyId:
    """The party named on the command line, which must be one of ours."""
    try:
        party = PartyId.parse(text)
    except ValueError as error:
        fail(str(error), BAD_INPUT)
    own = {PartyId.of(role["country_code"], role["party_id"]) for role in ports.directory().roles()}
    if party not in own:
        fail(f"{party} is not a party of this node ({', '.join(sorted(own)) or 'none yet'})", BAD_INPUT)
    return party
