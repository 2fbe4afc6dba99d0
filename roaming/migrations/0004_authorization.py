"""What was decided about Tokens that want to charge."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('roaming', '0003_commands'),
    ]

    operations = [
        migrations.CreateModel(
            name='Authorization',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('side', models.CharField(choices=[('CPO', 'decided as CPO'), ('EMSP', 'answered as eMSP')], max_length=4)),
                ('decided_at', models.DateTimeField(auto_now_add=True)),
                ('cpo', models.CharField(blank=True, help_text='CC*PID where the Token wants to charge', max_length=6)),
                ('emsp', models.CharField(blank=True, help_text='CC*PID that owns the Token; empty: unknown', max_length=6)),
                ('uid', models.CharField(help_text='Lower case', max_length=36)),
                ('type', models.CharField(max_length=40)),
                ('location_id', models.CharField(blank=True, max_length=36)),
                ('evse_uids', models.TextField(blank=True, default='', help_text='As JSON; empty: the whole Location')),
                ('allowed', models.CharField(max_length=40)),
                ('source', models.CharField(choices=[('OWN', 'own Token'), ('WHITELIST', 'whitelist'), ('REAL_TIME', 'real-time answer'), ('OFFLINE_FALLBACK', 'whitelist, its eMSP being out of reach'), ('UNKNOWN', 'unknown Token'), ('ERROR', 'no usable answer')], max_length=20)),
                ('reason', models.TextField()),
                ('reference', models.CharField(blank=True, help_text='authorization_reference', max_length=36)),
                ('milliseconds', models.PositiveIntegerField(help_text='From the question to the decision')),
                ('correlation_id', models.CharField(blank=True, max_length=128)),
                ('platform', models.ForeignKey(help_text="The eMSP's that was asked, or the CPO's that asks; empty: nobody was asked", null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='authorizations', to='roaming.platform')),
            ],
            options={
                'indexes': [models.Index(fields=['uid', 'decided_at'], name='authorization_of_token'), models.Index(condition=models.Q(('reference', ''), _negated=True), fields=['reference'], name='authorization_reference'), models.Index(fields=['decided_at'], name='authorization_age')],
            },
        ),
    ]
