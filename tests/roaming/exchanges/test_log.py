"""The queue and its writer: bounded, late rather than lost, lost rather than in the way."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from ocpi.transport.headers import MessageIds
from ocpi.transport.transcripts import Transcript
from roaming.exchange_models import Exchange
from roaming.exchanges import log as log_module
from roaming.exchanges import pruning
from roaming.exchanges.log import ExchangeLog
from tests.kit.exchanges import noted


def transcript(request: bytes = b"", response: bytes = b"{}", **changes: Any) -> Transcript:
    found = Transcript("IN", "GET", "/ocpi/versions", MessageIds(correlation_id="story"))
    found.asked(request)
    found.answered(200, response, 1000)
    for name, value in changes.items():
        setattr(found, name, value)
    return found


@pytest.mark.django_db
def test_nothing_is_written_before_flush(exchange_log: ExchangeLog) -> None:
    exchange_log.note(transcript())
    assert exchange_log.waiting == 1 and not Exchange.objects.exists()
    exchange_log.flush()
    assert exchange_log.waiting == 0 and Exchange.objects.count() == 1


@pytest.mark.django_db
def test_bodies_are_kept_up_to_the_cap(exchange_log: ExchangeLog, settings: Any) -> None:
    settings.NODE_LOG_BODY = 10
    exchange_log.note(transcript(b"x" * 10, b"y" * 11))
    (row,) = noted()
    assert (row.request_body, row.request_size) == ("x" * 10, 10)
    assert (row.response_body, row.response_size) == ("y" * 10, 11)


@pytest.mark.parametrize(
    ("direction", "method", "route", "kept"),
    [("IN", "GET", "LOCAL", 1024), ("IN", "GET", "DIRECT", 4096), ("OUT", "GET", "", 4096), ("IN", "PUT", "", 4096)],
)
@pytest.mark.django_db
def test_of_a_page_of_ours_its_beginning_is_kept(
    exchange_log: ExchangeLog, direction: str, method: str, route: str, kept: int
) -> None:
    """The store has the rest; of what partners have sent or answered nobody else has it."""
    body = b'{"data":[%b]}' % (b"1," * 5000)
    exchange_log.note(transcript(response=body, direction=direction, method=method, route=route))
    (row,) = noted()
    assert (len(row.response_body), row.response_size) == (kept, len(body))


@pytest.mark.parametrize("year", [1971, 1999, 2026, 2105])
@pytest.mark.django_db
def test_a_moment_is_written_to_the_microsecond(exchange_log: ExchangeLog, year: int) -> None:
    moment = datetime(year, 12, 31, 23, 59, 59, 123457, tzinfo=UTC)
    exchange_log.note(transcript(at=moment.timestamp()))
    assert noted()[0].at == moment


@pytest.mark.django_db
def test_no_bodies_are_kept_with_a_cap_of_0(exchange_log: ExchangeLog, settings: Any) -> None:
    settings.NODE_LOG_BODY = 0
    exchange_log.note(transcript(b"x", b"yy"))
    (row,) = noted()
    assert (row.request_body, row.request_size, row.response_body, row.response_size) == ("", 1, "", 2)


@pytest.mark.django_db
def test_nothing_is_kept_with_0_days(exchange_log: ExchangeLog, settings: Any) -> None:
    settings.NODE_LOG_DAYS = 0
    exchange_log.note(transcript())
    assert noted() == []


@pytest.mark.django_db
def test_a_body_cut_within_a_character_is_still_text(exchange_log: ExchangeLog, settings: Any) -> None:
    settings.NODE_LOG_BODY = 4
    exchange_log.note(transcript("aaaé".encode()))
    assert noted()[0].request_body == "aaa\N{REPLACEMENT CHARACTER}"


@pytest.mark.django_db
def test_hostile_values_are_written_as_far_as_they_fit(exchange_log: ExchangeLog) -> None:
    exchange_log.note(
        transcript(
            b"\x00\xff\t\\N\n\\.\n",
            method="M" * 100,
            url="/ocpi/2.2.1/" + "m" * 9000,
            http_status=999,
            status_code=10**30,
            error="e\x00" * 5000,
            ids=MessageIds("r" * 500, "c\x00" * 500),
        )
    )
    (row,) = noted()
    assert row.request_body == "\N{REPLACEMENT CHARACTER}" * 2 + "\t\\N\n\\.\n"
    assert (row.method, len(row.url), row.status_code, len(row.error)) == ("M" * 10, 4000, 0, 2000)


@pytest.mark.django_db
def test_on_overflow_bodies_are_dropped_first_then_entries(
    exchange_log: ExchangeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "MOST_HELD", 10)
    monkeypatch.setattr(log_module, "MOST_WAITING", 3)
    for _ in range(5):
        exchange_log.note(transcript(b"123456", b"7"))
    assert (exchange_log.dropped_bodies, exchange_log.dropped) == (2, 2)
    assert [(row.request_body, row.request_size) for row in noted()] == [("123456", 6), ("", 6), ("", 6)]
    exchange_log.note(transcript(b"123456", b"7"))
    assert noted()[-1].request_body == "123456"


@pytest.mark.django_db
def test_what_cannot_be_written_now_is_written_later(exchange_log: ExchangeLog) -> None:
    exchange_log.note(transcript())
    with connection.execute_wrapper(_fails), pytest.raises(OperationalError):
        exchange_log.flush()
    assert exchange_log.waiting == 1
    exchange_log.note(transcript())
    assert len(noted()) == 2


def _fails(*_: Any) -> Any:
    raise OperationalError("database is locked")


@pytest.mark.parametrize("unwritable", [{"response_size": None}, {"method": None}], ids=["by the database", "by us"])
@pytest.mark.django_db
def test_an_entry_that_is_refused_takes_no_other_with_it(exchange_log: ExchangeLog, unwritable: Any) -> None:
    exchange_log.note(transcript())
    exchange_log.note(transcript(**unwritable))
    exchange_log.note(transcript())
    assert len(noted()) == 2
    assert (exchange_log.dropped, exchange_log.waiting) == (1, 0)


@pytest.mark.django_db
def test_of_a_thousand_entries_only_the_one_that_is_refused_is_lost(exchange_log: ExchangeLog) -> None:
    for number in range(1000):
        exchange_log.note(transcript(response_size=None if number == 700 else number))
    assert [row.response_size for row in noted()] == [*range(700), *range(701, 1000)]
    assert exchange_log.dropped == 1


@pytest.mark.django_db
def test_what_was_written_before_the_database_went_is_not_written_again(exchange_log: ExchangeLog) -> None:
    for size in (1, None, 3, 4):
        exchange_log.note(transcript(response_size=size))
    with connection.execute_wrapper(_FailsAfter(writes=4)), pytest.raises(OperationalError):
        exchange_log.flush()
    assert (Exchange.objects.count(), exchange_log.waiting) == (1, 2)
    assert [row.response_size for row in noted()] == [1, 3, 4]


class _FailsAfter:
    """All four, both of the first half, then each of these: so many writes pass, or are refused, and no more."""

    def __init__(self, writes: int) -> None:
        self._left = writes

    def __call__(self, execute: Any, sql: str, *arguments: Any) -> Any:
        if sql.startswith(("SET LOCAL", f"INSERT INTO {Exchange._meta.db_table}")):
            self._left -= 1
            if self._left < 0:
                raise OperationalError("the server closed the connection")
        return execute(sql, *arguments)


@pytest.mark.django_db
def test_what_comes_while_entries_are_written_waits_for_the_next_time(exchange_log: ExchangeLog) -> None:
    """Else a busy node would write them in ones and twos, each with a transaction of its own."""

    coming = iter(range(20))

    def comes(execute: Any, *arguments: Any) -> Any:
        if next(coming, None) is not None:
            exchange_log.note(transcript())
        return execute(*arguments)

    exchange_log.note(transcript())
    with connection.execute_wrapper(comes):
        exchange_log.flush()
    assert Exchange.objects.count() == 1 and exchange_log.waiting


def test_a_message_never_fails_with_its_entry(exchange_log: ExchangeLog) -> None:
    exchange_log.note(None)  # type: ignore[arg-type]


@pytest.mark.django_db(transaction=True)
def test_the_thread_writes_by_itself_and_what_waits_at_the_end(settings: Any) -> None:
    settings.NODE_LOG_DAYS = 30
    log = ExchangeLog()
    for count in (1, 2):
        log.note(transcript())
        log.close()
        assert Exchange.objects.count() == count


@pytest.mark.django_db
def test_old_entries_are_forgotten_in_batches(exchange_log: ExchangeLog, settings: Any) -> None:
    settings.NODE_LOG_DAYS = 30
    now = timezone.now()
    for days in (0, 29, 31, 32, 33):
        exchange_log.note(transcript(at=(now - timedelta(days=days)).timestamp()))
    exchange_log.flush()
    assert pruning.prune(batch=2) == 3
    assert Exchange.objects.count() == 2
