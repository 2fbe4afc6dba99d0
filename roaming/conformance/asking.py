"""One request of an examination, judged by what holds for every response."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ocpi.client.http import Heard, OcpiClient
from ocpi.client.messages import PartnerError, Presented
from ocpi.transport.headers import CORRELATION_ID, REQUEST_ID, RoutingHeaders
from ocpi.types import codec, times
from roaming.conformance.report import Report
from roaming.conformance.rules import Rule

Client = Callable[[Presented, RoutingHeaders], OcpiClient]

_CLOCK = timedelta(minutes=1)
_NONE = RoutingHeaders()


@dataclass(frozen=True, slots=True)
class Answered:
    """A response that is an envelope."""

    url: str
    http_status: int
    headers: Mapping[str, str]
    status_code: int
    data: Any

    @property
    def told(self) -> str:
        """Its statuses, for a report."""
        return f"HTTP {self.http_status}, status_code {self.status_code}"

    @property
    def is_success(self) -> bool:
        return self.http_status < 300 and 1000 <= self.status_code < 2000

    @property
    def is_missing(self) -> bool:
        """Whether it says that there is no such thing."""
        return self.http_status == 404 or 2000 <= self.status_code < 3000


class Asker:
    """Sends requests to one platform and judges what comes back."""

    def __init__(self, presented: Presented, report: Report, client: Client = OcpiClient) -> None:
        self._presented, self._report, self._client = presented, report, client

    def stranger(self, url: str) -> None:
        """Somebody with a token of nobody asks; nothing but HTTP 401 will do."""
        try:
            heard = self._hear(Presented("nobody-was-given-this-token", platform_id=self._presented.platform_id), url)
        except PartnerError as error:
            self._report.judge(Rule.STRANGER, False, url, str(error))
        else:
            self._report.judge(Rule.STRANGER, heard.http_status == 401, url, f"HTTP {heard.http_status}")

    def read(
        self, url: str, params: Mapping[str, str] | None = None, routing: RoutingHeaders = _NONE
    ) -> Answered | None:
        """What is offered; None when it cannot be read."""
        answered = self.ask(url, params, routing)
        if answered is None or not self._report.judge(Rule.SUCCESS, answered.is_success, url, answered.told):
            return None
        return answered

    def ask(
        self, url: str, params: Mapping[str, str] | None = None, routing: RoutingHeaders = _NONE
    ) -> Answered | None:
        """The answer, whatever it says; None when there is none, or it is no envelope."""
        try:
            heard = self._hear(self._presented, url, params, routing)
        except PartnerError as error:
            self._report.judge(Rule.ENVELOPE, False, url, str(error))
            return None
        return self._judged(url, heard, routing)

    def _hear(
        self,
        presented: Presented,
        url: str,
        params: Mapping[str, str] | None = None,
        routing: RoutingHeaders = _NONE,
    ) -> Heard:
        self._report.requests += 1
        with self._client(presented, routing) as client:
            return client.hear(url, params)

    def _judged(self, url: str, heard: Heard, routing: RoutingHeaders) -> Answered | None:
        judge = self._report.judge
        try:
            document = codec.decode(heard.body)
        except codec.MalformedJson:
            document = None
        is_envelope = isinstance(document, dict) and type(document.get("status_code")) is int
        if not is_envelope:
            told = f"HTTP {heard.http_status}, {heard.body[:100].decode(errors='replace')}"
            judge(Rule.ENVELOPE, False, url, told)
            return None
        moment = _moment(document.get("timestamp"))
        judge(Rule.ENVELOPE, moment is not None, url, f"timestamp {document.get('timestamp')!r}")
        if moment is not None:
            off = moment - datetime.now(UTC)
            judge(Rule.CLOCK, abs(off) <= _CLOCK, url, f"{off.total_seconds():+.0f} s")
        kind = heard.headers.get("Content-Type", "")
        judge(Rule.CONTENT_TYPE, kind.partition(";")[0].strip().lower() == "application/json", url, kind)
        self._judge_headers(url, heard, routing)
        return Answered(url, heard.http_status, heard.headers, document["status_code"], document.get("data"))

    def _judge_headers(self, url: str, heard: Heard, routing: RoutingHeaders) -> None:
        ids = {REQUEST_ID: heard.ids.request_id, CORRELATION_ID: heard.ids.correlation_id}
        others = [f"{name}: {heard.headers.get(name)}" for name, id in ids.items() if heard.headers.get(name) != id]
        self._report.judge(Rule.MESSAGE_IDS, not others, url, ", ".join(others))
        if routing.from_ is not None:
            swapped = RoutingHeaders(to=routing.from_, from_=routing.to).headers()
            wrong = [name for name, id in swapped.items() if heard.headers.get(name, "").upper() != id.upper()]
            found = ", ".join(f"{name}: {heard.headers.get(name)}" for name in wrong)
            self._report.judge(Rule.ROUTING, not wrong, url, found)


def _moment(value: Any) -> datetime | None:
    try:
        return times.parse(value)
    except (ValueError, TypeError):
        return None
