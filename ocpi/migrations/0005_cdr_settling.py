"""When a CDR's session ended and which CDR it takes back, as columns; corrections of our own CDRs."""

from datetime import datetime, timezone

import django.db.models.deletion
import msgspec
from django.db import migrations, models


class Face(msgspec.Struct):
    last_updated: str = ""
    end_date_time: object = None
    credit: object = None
    credit_reference_id: object = None


def fill(apps, schema_editor):
    """Read both from the documents."""
    Cdr = apps.get_model('ocpi', 'Cdr')
    decoder = msgspec.json.Decoder(Face)
    last = 0
    while rows := list(Cdr.objects.filter(pk__gt=last).only('pk', 'document', 'last_updated').order_by('pk')[:1000]):
        for row in rows:
            face = decoder.decode(row.document)
            row.ended_at = moment(face.end_date_time) or row.last_updated
            if face.credit is True and isinstance(face.credit_reference_id, str):
                row.credits = face.credit_reference_id.lower() if len(face.credit_reference_id) <= 39 else ''
        Cdr.objects.bulk_update(rows, ['ended_at', 'credits'], batch_size=200)
        last = rows[-1].pk


def moment(text):
    try:
        found = datetime.fromisoformat(text[:26].rstrip('Z')) if isinstance(text, str) else None
    except ValueError:
        return None
    return found.replace(tzinfo=timezone.utc) if found and found.tzinfo is None else found


class Migration(migrations.Migration):

    dependencies = [
        ('ocpi', '0004_status_feed'),
    ]

    operations = [
        migrations.AddField(
            model_name='cdr',
            name='credits',
            field=models.CharField(blank=True, db_default='', default='', help_text='Key of the CDR that this one takes back', max_length=39),
        ),
        migrations.AddField(
            model_name='cdr',
            name='ended_at',
            field=models.DateTimeField(help_text='When the session ended: the month it is settled in (UTC)', null=True),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name='cdr',
            index=models.Index(condition=models.Q(('credits', ''), _negated=True), fields=['owner', 'credits'], name='cdr_credits'),
        ),
        migrations.AddIndex(
            model_name='cdr',
            index=models.Index(fields=['owner', 'token_owner', 'ended_at', 'id'], name='cdr_month'),
        ),
        migrations.CreateModel(
            name='CdrCorrection',
            fields=[
                ('original', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='correction', serialize=False, to='ocpi.cdr')),
                ('credit', models.CharField(help_text='Id of the credit CDR', max_length=39)),
                ('replacement', models.CharField(help_text='Id of the CDR that replaces it', max_length=36)),
                ('made_at', models.DateTimeField(auto_now_add=True)),
                ('made_by', models.CharField(blank=True, max_length=150)),
            ],
            options={
                'verbose_name': 'correction of a CDR',
                'verbose_name_plural': 'corrections of CDRs',
            },
        ),
    ]
