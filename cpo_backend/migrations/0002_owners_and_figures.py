"""Owners, their statements, and the figures of CDRs.

That an EVSE has one owner at once, and an owner one share, is for the database to hold: an exclusion constraint on
PostgreSQL, triggers on SQLite, whose writes are serial. A later migration that makes SQLite build one of these tables
anew has to create its triggers again (`one_at_a_time`).
"""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


FOREVER = "9999-12-31"
OWNERSHIP, SHARE = "cpo_backend_ownership", "cpo_backend_revenueshare"


def one_at_a_time(apps, schema_editor):
    """Refuse two at once; an ownership of a whole Location meets those of each of its EVSEs."""
    if schema_editor.connection.vendor == "postgresql":
        run = schema_editor.execute
        run("CREATE TYPE cpo_backend_text_range AS RANGE (subtype = text)")
        run(
            f"ALTER TABLE {OWNERSHIP} ADD CONSTRAINT ownership_one_at_a_time EXCLUDE USING gist ("
            "cpo_backend_text_range(party || '*' || location_key, party || '*' || location_key, '[]') WITH &&, "
            # without an EVSE both bounds are open, so that it meets every EVSE
            "cpo_backend_text_range(nullif(evse_key, ''), nullif(evse_key, ''), '[]') WITH &&, "
            "daterange(first_day, last_day, '[]') WITH &&)"
        )
        run(
            f"ALTER TABLE {SHARE} ADD CONSTRAINT revenueshare_one_at_a_time EXCLUDE USING gist ("
            "int8range(owner_id, owner_id, '[]') WITH &&, daterange(first_day, last_day, '[]') WITH &&)"
        )
        return
    place = (
        "party = NEW.party AND location_key = NEW.location_key "
        "AND (evse_key = '' OR NEW.evse_key = '' OR evse_key = NEW.evse_key)"
    )
    for table, same in ((OWNERSHIP, place), (SHARE, "owner_id = NEW.owner_id")):
        for event in ("INSERT", "UPDATE"):
            schema_editor.execute(
                f"CREATE TRIGGER {table}_one_at_a_time_{event.lower()} BEFORE {event} ON {table} WHEN EXISTS ("
                f"SELECT 1 FROM {table} WHERE id IS NOT NEW.id AND {same} "
                f"AND first_day <= coalesce(NEW.last_day, '{FOREVER}') "
                f"AND coalesce(last_day, '{FOREVER}') >= NEW.first_day) "
                "BEGIN SELECT RAISE(ABORT, 'one_at_a_time: another one holds on one of these days'); END"
            )


def two_at_a_time(apps, schema_editor):
    """The tables go, and what refuses with them; the type does not."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"ALTER TABLE {OWNERSHIP} DROP CONSTRAINT ownership_one_at_a_time")
        schema_editor.execute("DROP TYPE cpo_backend_text_range")


class Migration(migrations.Migration):

    dependencies = [
        ('cpo_backend', '0001_chargers'),
        ('ocpi', '0005_cdr_settling'),
    ]

    operations = [
        migrations.CreateModel(
            name='ChargePointOwner',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, unique=True)),
                ('contact', models.CharField(blank=True, max_length=100)),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('phone', models.CharField(blank=True, max_length=40)),
                ('address', models.TextField(blank=True)),
                ('vat_number', models.CharField(blank=True, max_length=20, verbose_name='VAT number')),
                ('bank_reference', models.CharField(blank=True, help_text='As the bank is to read it', max_length=100)),
                ('notes', models.TextField(blank=True)),
            ],
        ),
        migrations.CreateModel(
            name='FiguresProgress',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('xid', models.BigIntegerField(default=0)),
                ('revision', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='OwnerStatement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.CharField(help_text='YYYY-MM', max_length=7)),
                ('state', models.CharField(choices=[('DRAFT', 'draft'), ('CLOSED', 'closed')], default='DRAFT', max_length=6)),
                ('built_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('closed_by', models.CharField(blank=True, max_length=150)),
                ('cdr_count', models.PositiveIntegerField(default=0, help_text='Credit CDRs included', verbose_name='CDRs')),
                ('late_count', models.PositiveIntegerField(default=0, help_text='CDRs that came after their month was closed', verbose_name='late')),
                ('fault_count', models.PositiveIntegerField(default=0, help_text='CDRs that cannot be read', verbose_name='not counted')),
                ('sha256', models.CharField(blank=True, help_text='Of the list of CDRs with their hashes', max_length=64, verbose_name='SHA-256')),
                ('statement', models.TextField(blank=True, default='{}', help_text='All figures as exact JSON')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='statements', to='cpo_backend.chargepointowner')),
            ],
            options={
                'verbose_name': 'owner statement',
            },
        ),
        migrations.CreateModel(
            name='RevenueShare',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first_day', models.DateField()),
                ('last_day', models.DateField(blank=True, help_text='Included; empty: until further notice', null=True)),
                ('percent', models.DecimalField(decimal_places=4, default=0, help_text='Of the revenue excl. VAT', max_digits=7, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100)], verbose_name='% of revenue')),
                ('per_kwh', models.DecimalField(decimal_places=4, default=0, max_digits=12, validators=[django.core.validators.MinValueValidator(0)], verbose_name='per kWh')),
                ('per_session', models.DecimalField(decimal_places=4, default=0, max_digits=12, validators=[django.core.validators.MinValueValidator(0)], verbose_name='per session')),
                ('per_month', models.DecimalField(decimal_places=4, default=0, help_text='By days where it holds for a part of the month', max_digits=12, validators=[django.core.validators.MinValueValidator(0)], verbose_name='per month')),
                ('currency', models.CharField(default='EUR', help_text='Of these amounts (ISO 4217)', max_length=3)),
                ('vat_rate', models.DecimalField(blank=True, decimal_places=2, help_text='On the share; empty: without VAT', max_digits=5, null=True, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100)], verbose_name='VAT (%)')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='shares', to='cpo_backend.chargepointowner')),
            ],
            options={
                'verbose_name': 'revenue share',
                'ordering': ('first_day',),
            },
        ),
        migrations.CreateModel(
            name='StatedCdr',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(verbose_name='no.')),
                ('day', models.DateField(help_text='The session ended on, by the clock of the site')),
                ('sha256', models.CharField(help_text='Of the stored document', max_length=64, verbose_name='SHA-256')),
                ('vat', models.CharField(blank=True, help_text='Rates in percent', max_length=60, verbose_name='VAT')),
                ('is_late', models.BooleanField(default=False, verbose_name='late')),
                ('fault', models.CharField(blank=True, help_text='Why it does not count', max_length=200, verbose_name='not counted')),
                ('is_final', models.BooleanField(default=False, help_text='It counts, and the statement is closed')),
                ('cdr', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='stated', to='ocpi.cdr', verbose_name='CDR')),
                ('statement', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cdrs', to='cpo_backend.ownerstatement')),
            ],
            options={
                'verbose_name': 'stated CDR',
            },
        ),
        migrations.CreateModel(
            name='CdrFigures',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(help_text='By the clock of the site')),
                ('is_last', models.BooleanField(verbose_name='last day')),
                ('owner', models.CharField(help_text='CC*PID', max_length=6, verbose_name='CPO')),
                ('partner', models.CharField(blank=True, help_text='CC*PID of the eMSP of the Token', max_length=6)),
                ('location_key', models.CharField(blank=True, help_text='Id of the Location, lower case', max_length=36, verbose_name='site')),
                ('evse_key', models.CharField(blank=True, help_text='Its uid, lower case', max_length=36, verbose_name='EVSE')),
                ('occupied', models.BigIntegerField(default=0, help_text='Seconds of this day that the EVSE was in use')),
                ('charging', models.BigIntegerField(default=0, help_text='Seconds of these in which it charged')),
                ('hour', models.SmallIntegerField(help_text='Hour of the day the session began in', null=True)),
                ('sessions', models.SmallIntegerField(default=0, help_text='1; -1 where a credit CDR takes it back')),
                ('duration', models.BigIntegerField(default=0, help_text='Seconds of the whole session')),
                ('energy', models.BigIntegerField(default=0, help_text='Millionths of a kWh')),
                ('currency', models.CharField(blank=True, max_length=3)),
                ('net', models.BigIntegerField(help_text='Millionths of the currency', null=True, verbose_name='excl. VAT')),
                ('gross', models.BigIntegerField(help_text='Millionths of the currency; empty: not told', null=True, verbose_name='incl. VAT')),
                ('fault', models.CharField(blank=True, help_text='Why it has no figures', max_length=200)),
                ('cdr', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='figures', to='ocpi.cdr', verbose_name='CDR')),
            ],
            options={
                'verbose_name': 'report',
                'indexes': [models.Index(fields=['day'], name='cdrfigures_by_day'), models.Index(fields=['owner', 'location_key', 'day'], name='cdrfigures_of_site'), models.Index(fields=['partner', 'day'], name='cdrfigures_of_partner'), models.Index(condition=models.Q(('fault', ''), _negated=True), fields=['day'], name='cdrfigures_faults')],
                'constraints': [models.UniqueConstraint(fields=('cdr', 'day'), name='cdrfigures_day')],
            },
        ),
        migrations.CreateModel(
            name='Ownership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first_day', models.DateField()),
                ('last_day', models.DateField(blank=True, help_text='Included; empty: until further notice', null=True)),
                ('party', models.CharField(help_text="CC*PID of the Location's owner in OCPI: ourselves", max_length=6, verbose_name='CPO')),
                ('location_id', models.CharField(max_length=36)),
                ('evse_uid', models.CharField(blank=True, help_text='Empty: the whole Location', max_length=36, verbose_name='EVSE uid')),
                ('location_key', models.CharField(editable=False, help_text='Lower case', max_length=36)),
                ('evse_key', models.CharField(blank=True, editable=False, help_text='Lower case', max_length=36)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='ownerships', to='cpo_backend.chargepointowner')),
            ],
            options={
                'verbose_name': 'ownership',
                'ordering': ('location_key', 'evse_key', 'first_day'),
                'indexes': [models.Index(fields=['party', 'location_key', 'first_day'], name='ownership_place')],
                'constraints': [models.CheckConstraint(condition=models.Q(('last_day', None), ('last_day__gte', models.F('first_day')), _connector='OR'), name='ownership_days')],
            },
        ),
        migrations.AddConstraint(
            model_name='ownerstatement',
            constraint=models.UniqueConstraint(fields=('owner', 'month'), name='ownerstatement_month'),
        ),
        migrations.AddConstraint(
            model_name='revenueshare',
            constraint=models.CheckConstraint(condition=models.Q(('last_day', None), ('last_day__gte', models.F('first_day')), _connector='OR'), name='revenueshare_days'),
        ),
        migrations.AddIndex(
            model_name='statedcdr',
            index=models.Index(fields=['statement', 'number'], name='statedcdr_list'),
        ),
        migrations.AddConstraint(
            model_name='statedcdr',
            constraint=models.UniqueConstraint(fields=('statement', 'cdr'), name='statedcdr_once'),
        ),
        migrations.AddConstraint(
            model_name='statedcdr',
            constraint=models.UniqueConstraint(condition=models.Q(('is_final', True)), fields=('cdr',), name='statedcdr_final'),
        ),
        migrations.RunPython(one_at_a_time, two_at_a_time),
    ]
