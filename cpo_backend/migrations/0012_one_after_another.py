"""Who writes ownerships, or shares, waits for whoever is writing them.

Two at once that meet would each have put their row into the index before they look for others, and wait for each
other: PostgreSQL ends one of them as a deadlock, where the exclusion constraint (0002) would have told one that the
other was first. Statements take the lock before any row, so nobody waits for it with a row of these tables in hand.
"""

from django.db import migrations


TABLES = ("cpo_backend_ownership", "cpo_backend_revenueshare")


def queue(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":  # SQLite's writes are serial
        return
    schema_editor.execute(
        "CREATE FUNCTION cpo_backend_one_after_another() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_advisory_xact_lock('pg_class'::regclass::oid::int, TG_RELID::int); RETURN NULL; END $$"
    )
    for table in TABLES:
        schema_editor.execute(
            f"CREATE TRIGGER one_after_another BEFORE INSERT OR UPDATE OR DELETE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION cpo_backend_one_after_another()"
        )


def jostle(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION cpo_backend_one_after_another() CASCADE")


class Migration(migrations.Migration):

    dependencies = [("cpo_backend", "0011_billed_and_kept")]

    operations = [migrations.RunPython(queue, jostle)]
