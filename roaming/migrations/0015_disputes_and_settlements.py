"""Disputes about CDRs, settlements of months, and what parties have agreed on for them."""

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ocpi', '0005_cdr_settling'),
        ('roaming', '0014_cdr_audit'),
    ]

    operations = [
        migrations.AddField(
            model_name='agreement',
            name='fee_currency',
            field=models.CharField(default='EUR', help_text='ISO 4217', max_length=3, verbose_name='currency of that fee'),
        ),
        migrations.AddField(
            model_name='agreement',
            name='fee_per_session',
            field=models.DecimalField(decimal_places=4, default=0, help_text='Of the hub, without VAT; a session whose CDR was credited costs none', max_digits=10, validators=[django.core.validators.MinValueValidator(0)], verbose_name='fee per session'),
        ),
        migrations.AddField(
            model_name='agreement',
            name='fee_percent',
            field=models.DecimalField(decimal_places=4, default=0, help_text='Of the net total in each currency', max_digits=7, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100)], verbose_name='fee in percent'),
        ),
        migrations.AddField(
            model_name='agreement',
            name='fee_vat',
            field=models.DecimalField(blank=True, decimal_places=2, max_digits=6, null=True, validators=[django.core.validators.MinValueValidator(0)], verbose_name='VAT on fees (%)'),
        ),
        migrations.AddField(
            model_name='agreement',
            name='settle_disputed',
            field=models.BooleanField(default=False, help_text='Otherwise they are held back until they are decided', verbose_name='disputed CDRs are settled'),
        ),
        migrations.AddField(
            model_name='agreement',
            name='settle_zone',
            field=models.CharField(default='UTC', help_text='Where the month of a CDR begins and ends', max_length=64, verbose_name='time zone of months'),
        ),
        migrations.CreateModel(
            name='Dispute',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('OPEN', 'open'), ('SENT', 'sent'), ('ACCEPTED', 'accepted'), ('REJECTED', 'rejected'), ('WITHDRAWN', 'withdrawn'), ('RESOLVED', 'resolved by credit')], default='OPEN', max_length=10)),
                ('reason', models.TextField(help_text='For the CPO')),
                ('amount', models.DecimalField(decimal_places=4, max_digits=20, null=True, verbose_name='amount at stake, excl. VAT')),
                ('currency', models.CharField(blank=True, max_length=3)),
                ('opened_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('opened_by', models.CharField(blank=True, max_length=150)),
                ('evidence', models.TextField(help_text='The evidence bundle as JSON, as it was when the dispute was opened')),
                ('cdr', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='disputes', to='ocpi.cdr', verbose_name='CDR')),
                ('credit', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='ocpi.cdr', verbose_name='credit CDR')),
            ],
        ),
        migrations.CreateModel(
            name='DisputeStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('OPEN', 'open'), ('SENT', 'sent'), ('ACCEPTED', 'accepted'), ('REJECTED', 'rejected'), ('WITHDRAWN', 'withdrawn'), ('RESOLVED', 'resolved by credit')], max_length=10)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('by', models.CharField(blank=True, help_text='Empty: the node itself', max_length=150)),
                ('note', models.TextField(blank=True)),
                ('dispute', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='roaming.dispute')),
            ],
        ),
        migrations.CreateModel(
            name='Settlement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('cpo', models.CharField(help_text='CC*PID', max_length=6, verbose_name='CPO')),
                ('emsp', models.CharField(help_text='CC*PID', max_length=6, verbose_name='eMSP')),
                ('month', models.CharField(help_text='YYYY-MM', max_length=7)),
                ('zone', models.CharField(max_length=64, verbose_name='time zone')),
                ('begins_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(help_text='Not included')),
                ('state', models.CharField(choices=[('DRAFT', 'draft'), ('CLOSED', 'closed')], default='DRAFT', max_length=6)),
                ('built_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('closed_by', models.CharField(blank=True, max_length=150)),
                ('cdr_count', models.PositiveIntegerField(default=0, help_text='Credit CDRs included', verbose_name='CDRs')),
                ('late_count', models.PositiveIntegerField(default=0, help_text='CDRs that came after their month was closed', verbose_name='late')),
                ('held_count', models.PositiveIntegerField(default=0, help_text='CDRs that are not settled yet', verbose_name='held back')),
                ('sha256', models.CharField(blank=True, help_text='Of the list of settled CDRs with their hashes', max_length=64, verbose_name='SHA-256')),
                ('statement', models.TextField(blank=True, default='{}', help_text='Totals, VAT, fees and terms as exact JSON')),
            ],
            options={
                'indexes': [models.Index(fields=['month', 'state'], name='settlement_by_month')],
                'constraints': [models.UniqueConstraint(fields=('cpo', 'emsp', 'month'), name='settlement_month')],
            },
        ),
        migrations.CreateModel(
            name='SettledCdr',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(verbose_name='no.')),
                ('sha256', models.CharField(help_text='Of the stored document', max_length=64, verbose_name='SHA-256')),
                ('vat', models.CharField(blank=True, help_text='Rates in percent', max_length=60, verbose_name='VAT')),
                ('is_late', models.BooleanField(default=False, verbose_name='late')),
                ('held', models.CharField(blank=True, help_text='Why it does not count yet', max_length=60, verbose_name='held back')),
                ('is_final', models.BooleanField(default=False, help_text='It counts, and the settlement is closed')),
                ('cdr', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='settled', to='ocpi.cdr', verbose_name='CDR')),
                ('settlement', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cdrs', to='roaming.settlement')),
            ],
            options={
                'verbose_name': 'settled CDR',
            },
        ),
        migrations.AddIndex(
            model_name='dispute',
            index=models.Index(fields=['state', '-opened_at'], name='dispute_state'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ('OPEN', 'SENT', 'ACCEPTED'))), fields=('cdr',), name='dispute_open_once'),
        ),
        migrations.AddIndex(
            model_name='settledcdr',
            index=models.Index(fields=['settlement', 'number'], name='settledcdr_list'),
        ),
        migrations.AddConstraint(
            model_name='settledcdr',
            constraint=models.UniqueConstraint(fields=('settlement', 'cdr'), name='settledcdr_once'),
        ),
        migrations.AddConstraint(
            model_name='settledcdr',
            constraint=models.UniqueConstraint(condition=models.Q(('is_final', True)), fields=('cdr',), name='settledcdr_final'),
        ),
    ]
