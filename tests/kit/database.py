"""The database between two tests."""

from functools import cache

from django.apps import apps
from django.db import connection, transaction

from roaming import presence
from roaming.parties import ensure_own_parties

_KEPT = {"django_migrations", "django_content_type", "auth_permission"}  # as the migrations made them


def empty() -> None:
    """Leave what is there after a migration.

    Django's `flush` truncates every table and makes all permissions anew, which takes longer than most tests.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_which_are_not_empty())
        for (table,) in cursor.fetchall():
            cursor.execute(f'DELETE FROM "{table}"')
    ensure_own_parties()
    presence.refresh()


@cache
def _which_are_not_empty() -> str:
    tables = sorted({model._meta.db_table for model in apps.get_models(include_auto_created=True)} - _KEPT)
    return " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM \"{table}\")" for table in tables)
