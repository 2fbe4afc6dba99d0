"""What a CDR is settled and credited by stands in columns, whenever it was stored."""

from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps

from ocpi.models import Cdr
from ocpi.store.catalogue import STORES
from ocpi.store.objects import Arrival
from ocpi.v221.versions import ModuleID
from tests.kit.objects import cdr, credit_cdr

pytestmark = pytest.mark.django_db

ENDED = datetime(2026, 3, 1, 12, 15, tzinfo=UTC)


def columns(document: dict[str, Any]) -> tuple[datetime | None, str]:
    STORES[ModuleID.CDRS].put_many([Arrival(document)], 7)
    row = Cdr.objects.get(key=document["id"].lower())
    return row.ended_at, row.credits


def test_a_cdr_is_found_by_the_end_of_its_session() -> None:
    assert columns(cdr()) == (ENDED, "")


def test_a_credit_cdr_is_found_by_what_it_credits_whatever_the_case() -> None:
    assert columns(credit_cdr(credit_reference_id="cDr-1")) == (ENDED, "cdr-1")


def test_a_reference_in_a_cdr_that_is_no_credit_credits_nothing() -> None:
    assert columns(cdr(credit_reference_id="CDR-0"))[1] == ""


def test_an_end_that_is_no_time_is_when_the_cdr_was_made() -> None:
    assert columns(cdr(end_date_time="yesterday"))[0] == datetime(2026, 3, 1, 12, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "document",
    [cdr(), credit_cdr(), cdr(end_date_time="yesterday"), cdr(end_date_time="2026-03-01T12:15:00.1234567Z")],
)
def test_those_stored_before_are_read_the_same(document: dict[str, Any]) -> None:
    expected = columns(document)
    Cdr.objects.update(ended_at=None, credits="")
    import_module("ocpi.migrations.0005_cdr_settling").fill(apps, None)
    row = Cdr.objects.get()
    assert (row.ended_at, row.credits) == expected
