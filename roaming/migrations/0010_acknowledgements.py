"""One lane for each platform, a cursor for each stream of changes, and what was acknowledged of each object.

What was refused and waits for its next attempt is taken over. What was delivered before is not known object by object:
the next change of such an object sends it whole. Locations are sent once more, for the status of an EVSE is only sent
to who is known to hold it.
"""

import django.db.models.deletion
from django.db import migrations, models


def take_over(apps, schema_editor):
    delivery = apps.get_model('roaming', 'Delivery')
    lane = apps.get_model('roaming', 'Lane')
    for platform in apps.get_model('roaming', 'FeedCursor').objects.values_list('platform_id', flat=True).distinct():
        lane.objects.create(platform_id=platform)
    apps.get_model('roaming', 'FeedCursor').objects.filter(stream='locations').update(xid=0, revision=0)
    tables = {
        'locations': 'Location', 'tariffs': 'Tariff', 'tokens': 'Token', 'sessions': 'Session', 'cdrs': 'Cdr',
        'hubclientinfo': 'ClientInfo',
    }
    for refusal in apps.get_model('roaming', 'RefusedDelivery').objects.select_related('lane'):
        module = refusal.lane.stream
        found = apps.get_model('ocpi', tables[module]).objects.filter(owner=refusal.owner, key=refusal.key).first()
        if found is not None:
            delivery.objects.create(
                platform_id=refusal.lane.platform_id,
                module=module,
                object_id=found.pk,
                attempts=min(refusal.attempts, 1000),
                failed_at=refusal.last_attempt_at,
                error=refusal.error,
                retry_at=refusal.retry_at,
            )


class Migration(migrations.Migration):

    dependencies = [
        ('ocpi', '0004_status_feed'),
        ('roaming', '0009_agreements'),
    ]

    operations = [
        migrations.RenameModel('Lane', 'FeedCursor'),
        migrations.RemoveConstraint(model_name='feedcursor', name='lane_key'),
        migrations.RenameField(model_name='feedcursor', old_name='module', new_name='stream'),
        migrations.AddConstraint(
            model_name='feedcursor',
            constraint=models.UniqueConstraint(fields=('platform', 'stream'), name='feedcursor_key'),
        ),
        migrations.RemoveField(model_name='feedcursor', name='claimed_until'),
        migrations.AlterField(
            model_name='feedcursor',
            name='platform',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='feed_cursors', to='roaming.platform'),
        ),
        migrations.AlterField(
            model_name='feedcursor',
            name='sent',
            field=models.BigIntegerField(default=0, help_text='Objects the platform acknowledged', verbose_name='acknowledged'),
        ),
        migrations.AlterField(
            model_name='feedcursor',
            name='last_sent_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='last success at'),
        ),
        migrations.AlterField(
            model_name='feedcursor',
            name='retry_at',
            field=models.DateTimeField(blank=True, help_text='The platform asked for a pause: not before', null=True),
        ),
        migrations.AddField(
            model_name='feedcursor',
            name='slow_downs',
            field=models.PositiveSmallIntegerField(default=0, help_text='How often in a row it asked for one'),
        ),
        migrations.AddField(
            model_name='feedcursor',
            name='is_paused',
            field=models.BooleanField(default=False, verbose_name='paused by staff'),
        ),
        migrations.AddField(
            model_name='feedcursor',
            name='rate',
            field=models.PositiveIntegerField(blank=True, help_text='Requests per second at most; empty: no limit', null=True),
        ),
        migrations.AddField(
            model_name='feedcursor',
            name='ladder',
            field=models.CharField(blank=True, default='', help_text='Minutes between attempts, as in 1 5 30 120; empty: the default', max_length=100),
        ),
        migrations.AddField(
            model_name='feedcursor',
            name='nights',
            field=models.PositiveSmallIntegerField(blank=True, help_text='How many nights to try after the ladder; empty: the default', null=True),
        ),
        migrations.CreateModel(
            name='Lane',
            fields=[
                ('platform', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, serialize=False, to='roaming.platform')),
                ('claimed_until', models.DateTimeField(blank=True, help_text='A worker is in the lane until then', null=True)),
                ('generation', models.BigIntegerField(default=0, help_text='Raised by every claim: who holds an older one may not write')),
                ('retry_at', models.DateTimeField(blank=True, help_text='After a failure: not before', null=True)),
                ('in_flight', models.PositiveSmallIntegerField(default=8, help_text='Requests under way at once, at most')),
            ],
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('module', models.CharField(max_length=20)),
                ('object_id', models.BigIntegerField()),
                ('version', models.BigIntegerField(db_default=0, default=0, help_text='Of the object, as acknowledged; 0: never')),
                ('image', models.TextField(blank=True, default='', help_text='Digests of what was acknowledged, as JSON; empty: nothing')),
                ('acknowledged_at', models.DateTimeField(blank=True, null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0, help_text='Failures in a row')),
                ('failed_at', models.DateTimeField(blank=True, null=True)),
                ('error', models.TextField(blank=True, default='')),
                ('request', models.TextField(blank=True, default='', help_text='What failed: method and URL')),
                ('correlation_id', models.CharField(blank=True, default='', help_text='Leads to the exchange log', max_length=128)),
                ('retry_at', models.DateTimeField(blank=True, null=True)),
                ('given_up_at', models.DateTimeField(blank=True, help_text='Since then it waits for a person', null=True)),
                ('platform', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='roaming.platform')),
            ],
            options={
                'verbose_name_plural': 'deliveries',
                'indexes': [
                    models.Index(condition=models.Q(('retry_at__isnull', False)), fields=['platform', 'retry_at'], name='delivery_retry'),
                    models.Index(condition=models.Q(('given_up_at__isnull', False)), fields=['given_up_at'], name='delivery_given_up'),
                ],
                'constraints': [models.UniqueConstraint(fields=('platform', 'module', 'object_id'), name='delivery_key')],
            },
        ),
        migrations.CreateModel(
            name='DeliveryHour',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stream', models.CharField(max_length=20)),
                ('hour', models.DateTimeField(help_text='Its beginning (UTC)')),
                ('requests', models.PositiveIntegerField(default=0)),
                ('acknowledged', models.PositiveIntegerField(default=0, help_text='Objects')),
                ('refused', models.PositiveIntegerField(default=0, help_text='Objects')),
                ('failures', models.PositiveIntegerField(default=0, help_text='Visits that ended in trouble')),
                ('within_half', models.PositiveIntegerField(default=0, verbose_name='within 0.5 s')),
                ('within_1', models.PositiveIntegerField(default=0, verbose_name='within 1 s')),
                ('within_2', models.PositiveIntegerField(default=0, verbose_name='within 2 s')),
                ('within_5', models.PositiveIntegerField(default=0, verbose_name='within 5 s')),
                ('within_30', models.PositiveIntegerField(default=0, verbose_name='within 30 s')),
                ('within_300', models.PositiveIntegerField(default=0, verbose_name='within 5 min')),
                ('later', models.PositiveIntegerField(default=0)),
                ('platform', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='delivery_hours', to='roaming.platform')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('platform', 'stream', 'hour'), name='deliveryhour_key')],
            },
        ),
        migrations.RunPython(take_over, migrations.RunPython.noop),
        migrations.DeleteModel('RefusedDelivery'),
    ]
