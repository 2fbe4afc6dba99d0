"""The lists of a platform: how they are paged and filtered, and what is in them."""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from ocpi.ids import PartyId
from ocpi.store.catalogue import STORES
from ocpi.transport import pagination
from ocpi.transport.headers import RoutingHeaders, new_id
from ocpi.types import times, validation
from ocpi.v221.anchors import anchor, anywhere
from ocpi.v221.versions import ModuleID
from roaming.conformance.asking import Answered, Asker
from roaming.conformance.report import Report
from roaming.conformance.rules import Rule
from roaming.directory import Peer, Picture
from roaming.sync.audience import asking
from roaming.sync.pull import BEGINNING

_LIMIT = 20
_NEVER = "2099-01-01T00:00:00Z"


class Lists:
    """Examines the Sender interfaces of one platform, a page or two of each."""

    def __init__(self, asker: Asker, report: Report, picture: Picture, peer: Peer) -> None:
        self._asker, self._report, self._picture, self._peer = asker, report, picture, peer

    def examine(self, module: ModuleID, url: str) -> None:
        routing = asking(self._picture, self._peer, module)
        page = self._page(url, {"limit": str(_LIMIT), "date_from": times.format(BEGINNING)}, routing)
        if page is None:
            return
        self._following(page, routing)
        self._objects(module, page)
        self._filtered(url, routing)
        if module is ModuleID.LOCATIONS:
            self._alone(url, page)

    def _page(self, url: str, params: Mapping[str, str] | None, routing: RoutingHeaders) -> Answered | None:
        """A page, judged as one; None when it is none."""
        page = self._asker.read(url, params, routing)
        if page is None:
            return None
        judge, headers = self._report.judge, page.headers
        if not judge(Rule.LIST, isinstance(page.data, list), url, f"data is {type(page.data).__name__}"):
            return None
        count = len(page.data)
        judge(Rule.LIST, count <= _LIMIT, url, f"{count} objects where {_LIMIT} were asked for")
        total = headers.get("X-Total-Count", "")
        judge(Rule.TOTAL_COUNT, total.isdecimal() and int(total) >= count, url, f"X-Total-Count: {total or 'none'}")
        limit = headers.get("X-Limit", "")
        judge(Rule.LIMIT, limit.isdecimal(), url, f"X-Limit: {limit or 'none'}")
        return page

    def _following(self, page: Answered, routing: RoutingHeaders) -> None:
        """Where Link leads."""
        total, link = page.headers.get("X-Total-Count", ""), pagination.next_link(page.headers.get("Link"))
        if link is None:
            is_last = not total.isdecimal() or int(total) <= len(page.data)
            self._report.judge(Rule.LINK, is_last, page.url, f"{len(page.data)} of {total} objects and no Link")
            return
        here, there = urlsplit(page.url), urlsplit(link)
        if not self._report.judge(Rule.LINK, here[:2] == there[:2], page.url, f"Link leads to {link}"):
            return
        following = self._page(link, None, routing)
        if following is not None:
            twice = [item for item in following.data if item in page.data]
            self._report.judge(Rule.NEXT_PAGE, not twice, link, f"{len(twice)} objects of the page before")

    def _filtered(self, url: str, routing: RoutingHeaders) -> None:
        found = self._asker.read(url, {"limit": str(_LIMIT), "date_from": _NEVER}, routing)
        if found is not None:
            count = len(found.data) if isinstance(found.data, list) else 0
            self._report.judge(Rule.DATE_FROM, count == 0, url, f"{count} objects updated after {_NEVER}")

    def _objects(self, module: ModuleID, page: Answered) -> None:
        """What is wrong with the objects of a page: each defect once, with how many have it."""
        shape = STORES[module].shape
        defects = {Rule.USABLE: Counter[tuple[str, str]](), Rule.SOUND: Counter[tuple[str, str]]()}
        for item in page.data:
            found = {(v.fatal, anywhere(v.pointer), v.message) for v in validation.check(item, shape)}
            for fatal, place, message in found:
                defects[Rule.USABLE if fatal else Rule.SOUND][place, message] += 1
        for rule, counted in defects.items():
            for (place, message), count in counted.items():
                told = f"{place or '/'}: {message} ({count} of {len(page.data)} objects; §{anchor(shape, place)})"
                self._report.judge(rule, False, page.url, told)
            if page.data and not counted:
                self._report.judge(rule, True, page.url)
        if module is not ModuleID.HUB_CLIENT_INFO:
            strange = sorted({owner for item in page.data if (owner := _owner(item)) and not self._may_own(owner)})
            self._report.judge(Rule.OWNED, not strange, page.url, ", ".join(strange))

    def _may_own(self, owner: str) -> bool:
        party = PartyId(owner)
        return party not in self._picture.own_parties if self._peer.hub_party else party in self._peer.parties

    def _alone(self, url: str, page: Answered) -> None:
        """One Location by its id, and one that nobody has."""
        for item in page.data[:1]:
            owner, id = _owner(item), item.get("id") if isinstance(item, dict) else None
            if owner and isinstance(id, str):
                routing = asking(self._picture, self._peer, ModuleID.LOCATIONS, PartyId(owner))
                found = self._asker.read(f"{url.rstrip('/')}/{quote(id, safe='')}", None, routing)
                if found is not None:
                    self._report.judge(Rule.ONE_OBJECT, _same(found.data, item), found.url, "it differs from the list")
        routing = asking(self._picture, self._peer, ModuleID.LOCATIONS)
        missing = self._asker.ask(f"{url.rstrip('/')}/{new_id()}", None, routing)
        if missing is not None:
            self._report.judge(Rule.UNKNOWN_OBJECT, missing.is_missing, missing.url, missing.told)


def _same(found: Any, listed: Mapping[str, Any]) -> bool:
    """Whether it is the same object, or a later state of it."""
    if not isinstance(found, dict) or str(found.get("id")).lower() != str(listed.get("id")).lower():
        return False
    return found == listed or str(found.get("last_updated")) > str(listed.get("last_updated"))


def _owner(item: Any) -> str | None:
    if not isinstance(item, dict):
        return None
    try:
        return PartyId.parse(f"{item.get('country_code')}*{item.get('party_id')}")
    except ValueError:
        return None
