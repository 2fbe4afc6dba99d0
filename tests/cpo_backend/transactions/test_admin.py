"""Transactions in the admin: what staff see, and what they decide."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from cpo_backend.models import Bill, Charger, OrphanStop, Transaction, TransactionMessage
from ocpi.models import Cdr
from tests.kit import charging
from tests.kit.chargers import connected
from tests.kit.charging import metered, sample, start, stopping


@pytest.fixture
def staff(admin_user: User) -> Client:
    client = Client()
    client.force_login(admin_user)
    return client


@pytest.fixture
def held(url: str, charger: Charger) -> Transaction:
    """Of 100 kWh within an hour."""
    with connected(url) as cp:
        cp.call("StopTransaction", stopping(start(cp), meter=101_000, transactionData=[metered(30, sample("x"))]))
    charging.make()
    return Transaction.objects.get()


def page(row: Any, step: str = "change") -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{step}", args=[row.pk])


def text(response: Any) -> str:
    assert response.status_code == 200
    return str(response.content.decode())


def test_the_list_tells_what_is_held_and_why(staff: Client, held: Transaction) -> None:
    shown = text(staff.get(reverse("admin:cpo_backend_transaction_changelist"), {"bill": "held"}))
    assert "implausible: 100.0 kWh" in shown
    assert (
        "CP-1"
        not in text(staff.get(reverse("admin:cpo_backend_transaction_changelist"), {"bill": "out"})).split(
            "result_list"
        )[-1]
    )


def test_a_page_tells_what_the_charger_told_and_what_it_comes_to(staff: Client, held: Transaction) -> None:
    shown = text(staff.get(page(held)))
    for told in (charging.after(60), "start and stop", "could not be read", "Let the CDR out"):
        assert told in shown


def test_staff_let_a_cdr_out_with_a_reason(staff: Client, held: Transaction) -> None:
    assert "Let the CDR out" in text(staff.get(page(held, "release")))
    text(staff.post(page(held, "release"), {"reason": ""}))
    assert Bill.objects.get().state == Bill.State.HELD
    staff.post(page(held, "release"), {"reason": "meter checked"})
    charging.make()
    assert (Bill.objects.get().decision, Cdr.objects.count()) == ("meter checked", 1)
    shown = text(staff.get(page(held)))
    assert "meter checked (admin)" in shown
    assert page(Cdr.objects.get()) in shown


def test_staff_discard_what_is_held(staff: Client, held: Transaction) -> None:
    staff.post(page(held, "discard"), {"reason": "a test"})
    assert Bill.objects.get().state == Bill.State.DISCARDED


def test_who_may_only_look_decides_nothing(held: Transaction) -> None:
    user = User.objects.create_user("guest", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_transaction"))
    client = Client()
    client.force_login(user)
    assert "Let the CDR out" not in text(client.get(page(held)))
    assert client.post(page(held, "release"), {"reason": "meter checked"}).status_code == 403


def test_staff_assign_an_orphan_stop(staff: Client, url: str, charger: Charger) -> None:
    with connected(url) as cp:
        first, _ = start(cp, 1), start(cp, 2)
        cp.call("StopTransaction", stopping(-1))
    orphan = OrphanStop.objects.get()
    assert str(first) in text(staff.get(page(orphan)))
    text(staff.get(page(orphan, "assign")))
    staff.post(page(orphan, "assign"), {"transaction_id": first})
    assert not Transaction.objects.get(pk=first).is_open
    assert "of nobody" not in text(staff.get(reverse("admin:cpo_backend_orphanstop_changelist")))


def test_staff_dismiss_an_orphan_stop(staff: Client, url: str, charger: Charger) -> None:
    with connected(url) as cp:
        cp.call("StopTransaction", stopping(5))
    chosen = {"action": "dismiss", "_selected_action": [OrphanStop.objects.get().pk]}
    staff.post(reverse("admin:cpo_backend_orphanstop_changelist"), chosen)
    assert OrphanStop.objects.get().settled_by == "admin"


def test_messages_to_look_at_are_shown(staff: Client, held: Transaction) -> None:
    odd = TransactionMessage.objects.exclude(needs_attention="").get()
    assert "could not be read" in text(staff.get(reverse("admin:cpo_backend_transactionmessage_changelist")))
    assert "transactionData" in text(staff.get(page(odd)))
