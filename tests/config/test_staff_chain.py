"""What `SILENCED_SYSTEM_CHECKS` says is there although Django's deploy checks cannot see it."""

import pytest
from django.test import Client


@pytest.mark.django_db
def test_a_form_of_the_admin_without_its_csrf_token_is_refused():
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/admin/login/", {"username": "staff", "password": "guess"})
    assert answer.status_code == 403
    assert b"CSRF" in answer.content


@pytest.mark.django_db
def test_a_page_of_the_admin_cannot_be_framed(client):
    assert client.get("/admin/login/").headers["X-Frame-Options"] == "DENY"
