"""A read-only run against one platform: versions, credentials, and a page or two of what it lists."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from django.utils import timezone

from ocpi.client.http import OcpiClient
from ocpi.ids import VERSION, PartyId
from ocpi.types import times, validation
from ocpi.v221.credentials import Credentials
from ocpi.v221.versions import Endpoint, InterfaceRole, ModuleID
from roaming.conformance.asking import Asker, Client
from roaming.conformance.lists import Lists
from roaming.conformance.receivers import KEPT, receiver
from roaming.conformance.report import Report
from roaming.conformance.rules import Rule
from roaming.directory import Peer, directory
from roaming.models import Platform
from roaming.sync.pull import MODULES

Advance = Callable[[int, int], None]


def examine(platform: Platform, client: Client = OcpiClient, advance: Advance = lambda done, total: None) -> Report:
    """Ask the platform for what it offers and judge each answer.

    Who does not tell its versions at all is asked nothing more. Nothing is stored here and nothing changed there; the
    requests are in the exchange log. `advance` is told how much is done.
    """
    report = Report(platform.name, times.format(timezone.now()))
    picture = directory.picture(fresh=True)
    peer = picture.peers[platform.pk]
    asker = Asker(platform.presented, report, client)
    lists = Lists(asker, report, picture, peer)
    senders = [(module, url) for module in MODULES if (url := peer.endpoint(module, InterfaceRole.SENDER))]
    receivers = [(module, url) for module in KEPT if (url := peer.endpoint(module, InterfaceRole.RECEIVER))]
    steps: list[Callable[[], None]] = [
        partial(_discovery, platform, peer, asker, report),
        partial(_credentials, peer, asker, report),
        *(partial(lists.examine, module, url) for module, url in senders),
        *(partial(receiver, asker, report, picture, peer, module, url) for module, url in receivers),
    ]
    for done, step in enumerate(steps):
        advance(done, len(steps))
        step()
        if not report.has_answered:
            break
    advance(len(steps), len(steps))
    return report


def _discovery(platform: Platform, peer: Peer, asker: Asker, report: Report) -> None:
    asker.stranger(platform.versions_url)
    if (versions := asker.read(platform.versions_url)) is None:
        return
    offered = [entry for entry in _objects(versions.data) if str(entry.get("version")).strip() == VERSION]
    url = offered[0].get("url") if offered else None
    told = ", ".join(str(entry.get("version")) for entry in _objects(versions.data)) or "none"
    if not report.judge(Rule.VERSIONS, isinstance(url, str), platform.versions_url, f"versions: {told}"):
        return
    if (details := asker.read(str(url))) is None:
        return
    listed = details.data.get("endpoints") if isinstance(details.data, dict) else None
    if report.judge(Rule.DETAILS, isinstance(listed, list) and bool(listed), details.url, "no endpoints"):
        _endpoints(_objects(listed), details.url, peer, report)


def _endpoints(listed: list[dict[str, Any]], url: str, peer: Peer, report: Report) -> None:
    for entry in listed:
        violations = validation.check(entry, Endpoint)
        told = "; ".join(f"{violation.pointer}: {violation.message}" for violation in violations)
        report.judge(Rule.ENDPOINT, not violations, url, f"{entry.get('identifier')}: {told}")
    times_listed = Counter((str(entry.get("identifier")), str(entry.get("role"))) for entry in listed)
    for (module, role), count in times_listed.items():
        report.judge(
            Rule.ENDPOINT, count == 1 or module == ModuleID.CREDENTIALS, url, f"{module} {role}: {count} times"
        )
    found = {(str(entry.get("identifier")), str(entry.get("role"))): str(entry.get("url")) for entry in listed}
    for key in sorted(peer.endpoints.keys() | found.keys()):
        if key[0] != ModuleID.CREDENTIALS:
            known, now = peer.endpoints.get(key), found.get(key)
            report.judge(Rule.ENDPOINTS_AS_REGISTERED, known == now, url, f"{' '.join(key)}: {known}, now {now}")


def _credentials(peer: Peer, asker: Asker, report: Report) -> None:
    url = next((url for (module, _), url in sorted(peer.endpoints.items()) if module == ModuleID.CREDENTIALS), None)
    if url is None or (answered := asker.read(url)) is None:
        return
    violations = validation.check(answered.data, Credentials)
    told = "; ".join(f"{violation.pointer}: {violation.message}" for violation in violations)
    if report.judge(Rule.CREDENTIALS, not violations, url, told):
        roles = {
            (str(role["role"]), PartyId.of(role["country_code"], role["party_id"])) for role in answered.data["roles"]
        }
        known = {(role.value, party) for role, party in peer.roles}
        shown = ", ".join(" ".join(role) for role in sorted(roles))
        report.judge(Rule.ROLES_AS_REGISTERED, roles == known, url, f"now {shown}")


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
