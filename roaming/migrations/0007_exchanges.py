"""The exchange log."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('roaming', '0006_hub'),
    ]

    operations = [
        migrations.CreateModel(
            name='Exchange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('direction', models.CharField(choices=[('IN', 'received'), ('OUT', 'sent')], max_length=3)),
                ('platform_name', models.CharField(max_length=100)),
                ('from_party', models.CharField(help_text='CC*PID', max_length=6, verbose_name='from')),
                ('to_party', models.CharField(help_text='CC*PID', max_length=6, verbose_name='to')),
                ('module', models.CharField(max_length=40)),
                ('interface', models.CharField(max_length=8)),
                ('method', models.CharField(max_length=10)),
                ('url', models.TextField(help_text='Path and query of what was received, the whole URL of what was sent', verbose_name='URL')),
                ('http_status', models.PositiveSmallIntegerField(null=True, verbose_name='HTTP status')),
                ('status_code', models.PositiveSmallIntegerField(null=True, verbose_name='OCPI status')),
                ('milliseconds', models.PositiveIntegerField()),
                ('request_id', models.CharField(max_length=128)),
                ('correlation_id', models.CharField(max_length=128)),
                ('route', models.CharField(help_text='Where the request belongs; empty where nothing is routed', max_length=10)),
                ('reason', models.TextField(help_text='Why it was routed so')),
                ('error', models.TextField()),
                ('request_body', models.TextField(help_text='As much as NODE_LOG_BODY allows')),
                ('request_size', models.PositiveIntegerField(help_text='Bytes')),
                ('response_body', models.TextField(help_text='As much as NODE_LOG_BODY allows')),
                ('response_size', models.PositiveIntegerField(help_text='Bytes')),
                ('platform', models.ForeignKey(db_constraint=False, db_index=False, help_text='At the other end', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='roaming.platform')),
            ],
            options={
                'indexes': [models.Index(fields=['at'], name='exchange_at'), models.Index(fields=['platform', 'at'], name='exchange_platform'), models.Index(fields=['correlation_id'], name='exchange_correlation'), models.Index(fields=['request_id'], name='exchange_request'), models.Index(condition=models.Q(('status_code', None), ('status_code__lt', 1000), ('status_code__gte', 2000), _connector='OR'), fields=['at'], name='exchange_failures')],
            },
        ),
    ]
