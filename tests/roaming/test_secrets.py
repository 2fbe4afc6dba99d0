"""Tokens at rest."""

import pytest
from cryptography.fernet import Fernet
from django.db import connection

from roaming import secrets
from roaming.models import Platform


def test_new_tokens_are_what_the_specification_allows_and_all_different():
    tokens = {secrets.new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token) == 64 and token.isalnum() and token.isascii() for token in tokens)


def test_a_hash_depends_on_the_key(settings):
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    (first,) = secrets.digests("token")
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    (second,) = secrets.digests("token")
    assert first != second


def test_after_a_key_rotation_tokens_hashed_with_the_old_key_are_still_found(settings):
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    settings.FIELD_KEYS = [old]
    (stored,) = secrets.digests("token")
    settings.FIELD_KEYS = [new, old]
    assert stored in secrets.digests("token")
    assert secrets.digests("token")[0] != stored, "the newest key writes"


@pytest.mark.django_db
def test_an_outbound_token_is_encrypted_in_the_database_and_read_back_after_a_rotation(settings):
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    settings.FIELD_KEYS = [old]
    platform = Platform.objects.create(name="P", outbound_token="very secret")
    with connection.cursor() as cursor:
        cursor.execute("SELECT outbound_token FROM roaming_platform")
        assert "secret" not in cursor.fetchone()[0]
    settings.FIELD_KEYS = [new, old]
    platform.refresh_from_db()
    assert platform.outbound_token == "very secret"


@pytest.mark.django_db
def test_a_lost_key_is_a_clear_error_not_garbage(settings):
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    Platform.objects.create(name="P", outbound_token="very secret")
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(ValueError, match="FIELD_KEYS"):
        Platform.objects.get()
