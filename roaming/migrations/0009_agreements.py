"""Agreements, and whose objects a lane was about, so that it notices when one begins or ends."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('roaming', '0008_presence'),
    ]

    operations = [
        migrations.AddField(
            model_name='lane',
            name='owners',
            field=models.JSONField(blank=True, help_text='Whose objects it was about when last worked on', null=True),
        ),
        migrations.CreateModel(
            name='Agreement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('party_a', models.CharField(help_text='CC*PID', max_length=6, verbose_name='party')),
                ('party_b', models.CharField(help_text='CC*PID', max_length=6, verbose_name='other party')),
                ('modules', models.JSONField(blank=True, default=list, help_text='None: all modules, custom ones included')),
                ('valid_from', models.DateTimeField(default=django.utils.timezone.now, help_text='UTC')),
                ('valid_to', models.DateTimeField(blank=True, help_text='UTC, not included; empty: without end', null=True)),
                ('note', models.CharField(blank=True, help_text='Contract number, or whom to ask', max_length=200)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('party_a', models.F('party_b')), _negated=True), name='agreement_of_two', violation_error_message='An agreement is between two parties.'), models.CheckConstraint(condition=models.Q(('valid_to', None), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='agreement_begins_before_it_ends', violation_error_message='It must end after it begins.')],
            },
        ),
    ]
