"""Audits of received CDRs, and what parties have agreed on for them."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ocpi', '0004_status_feed'),
        ('roaming', '0013_freshness'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditProgress',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('xid', models.BigIntegerField(default=0)),
                ('revision', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.AddField(
            model_name='agreement',
            name='cdr_rounding',
            field=models.CharField(choices=[('ONCE', 'once, to four decimals'), ('BUCKETS', 'each kind of cost to cents'), ('PERIODS', 'each charging period to cents'), ('SEGMENTS', 'each priced quantity to cents')], default='ONCE', max_length=10, verbose_name='rounding of CDRs'),
        ),
        migrations.AddField(
            model_name='agreement',
            name='cdr_tolerance',
            field=models.DecimalField(decimal_places=4, default=0, help_text='What a CDR may cost more than we compute, without VAT, in its currency', max_digits=10, validators=[django.core.validators.MinValueValidator(0)], verbose_name='tolerance of CDRs'),
        ),
        migrations.CreateModel(
            name='CdrAudit',
            fields=[
                ('cdr', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='audit', serialize=False, to='ocpi.cdr')),
                ('verdict', models.CharField(choices=[('OK', 'ok'), ('TOLERATED', 'within tolerance'), ('DISPUTE', 'to be disputed'), ('HOLD', 'on hold')], max_length=10)),
                ('audited_at', models.DateTimeField(auto_now=True)),
                ('currency', models.CharField(blank=True, max_length=3)),
                ('claimed', models.DecimalField(decimal_places=4, max_digits=20, null=True, verbose_name='claimed excl. VAT')),
                ('computed', models.DecimalField(decimal_places=4, max_digits=20, null=True, verbose_name='computed excl. VAT')),
                ('findings', models.TextField(help_text='What was found, as JSON: code, severity, message, pointer, evidence')),
                ('codes', models.TextField(blank=True, default='', help_text='The codes of the findings, between spaces')),
                ('breakdown', models.TextField(blank=True, default='', help_text='How it was priced, as price_cdr --json prints it')),
                ('owner', models.CharField(help_text='CC*PID of the CPO', max_length=6)),
                ('token_owner', models.CharField(blank=True, max_length=6)),
                ('token_uid', models.CharField(blank=True, help_text='Lower case', max_length=36)),
                ('evse_id', models.CharField(blank=True, help_text='Lower case', max_length=48)),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField()),
                ('energy', models.DecimalField(decimal_places=4, max_digits=20, null=True, verbose_name='energy (kWh)')),
                ('released_at', models.DateTimeField(blank=True, help_text='Since then it is accepted in spite of that', null=True)),
                ('released_by', models.CharField(blank=True, max_length=150)),
            ],
            options={
                'verbose_name': 'CDR audit',
                'indexes': [models.Index(fields=['token_owner', 'token_uid', 'started_at'], name='cdraudit_token'), models.Index(fields=['owner', 'evse_id', 'started_at'], name='cdraudit_evse'), models.Index(fields=['verdict', '-audited_at'], name='cdraudit_verdict')],
            },
        ),
    ]
