"""The one sequence of changes: a real sequence on PostgreSQL, a counter row on SQLite (whose writes are serial)."""

from django.db import migrations


def create(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("CREATE SEQUENCE ocpi_revision AS bigint")
    else:
        schema_editor.execute("CREATE TABLE ocpi_revision (value bigint NOT NULL)")
        schema_editor.execute("INSERT INTO ocpi_revision VALUES (0)")


def drop(apps, schema_editor):
    kind = "SEQUENCE" if schema_editor.connection.vendor == "postgresql" else "TABLE"
    schema_editor.execute(f"DROP {kind} ocpi_revision")


class Migration(migrations.Migration):
    dependencies = [("ocpi", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
