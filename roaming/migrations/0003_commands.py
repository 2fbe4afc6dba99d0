"""Commands in both directions, and the charging profiles that follow from them."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('roaming', '0002_directory_version'),
    ]

    operations = [
        migrations.CreateModel(
            name='ReceivedCommand',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('command', models.CharField(choices=[('CANCEL_RESERVATION', 'CANCEL_RESERVATION'), ('RESERVE_NOW', 'RESERVE_NOW'), ('START_SESSION', 'START_SESSION'), ('STOP_SESSION', 'STOP_SESSION'), ('UNLOCK_CONNECTOR', 'UNLOCK_CONNECTOR'), ('ACTIVE_CHARGING_PROFILE', 'ACTIVE_CHARGING_PROFILE'), ('SET_CHARGING_PROFILE', 'SET_CHARGING_PROFILE'), ('CLEAR_CHARGING_PROFILE', 'CLEAR_CHARGING_PROFILE')], max_length=40)),
                ('commander', models.CharField(help_text='CC*PID that commands', max_length=6)),
                ('party', models.CharField(help_text='CC*PID of ours that is commanded', max_length=6)),
                ('subject', models.CharField(help_text='What it is about: Session, reservation, or place', max_length=120)),
                ('document', models.TextField(help_text='As it came')),
                ('response_url', models.CharField(max_length=255)),
                ('correlation_id', models.CharField(max_length=128)),
                ('received_at', models.DateTimeField(auto_now_add=True)),
                ('response', models.CharField(blank=True, max_length=40)),
                ('response_message', models.TextField(blank=True, default='')),
                ('timeout', models.PositiveIntegerField(default=0, help_text='Seconds that we promised the result within')),
                ('deadline', models.DateTimeField(blank=True, help_text='A result is awaited until then; empty: none is', null=True)),
                ('result', models.CharField(blank=True, max_length=40)),
                ('resolved_at', models.DateTimeField(blank=True, null=True)),
                ('platform', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='received_commands', to='roaming.platform')),
            ],
        ),
        migrations.CreateModel(
            name='CommandOutcome',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('document', models.TextField(blank=True, default='', help_text='The body of the request')),
                ('due_at', models.DateTimeField(blank=True, help_text='Next attempt; empty: delivered, or given up', null=True)),
                ('claimed_until', models.DateTimeField(blank=True, help_text='A worker is sending it until then', null=True)),
                ('revision', models.PositiveIntegerField(default=1, help_text='Counts what there was to tell')),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('delivered_at', models.DateTimeField(blank=True, null=True)),
                ('error', models.TextField(blank=True, default='', help_text='Of the last attempt')),
                ('rank', models.PositiveSmallIntegerField(help_text='0: the result; 1: the cancellation of the reservation')),
                ('result', models.CharField(max_length=40)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('command', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='outcomes', to='roaming.receivedcommand')),
            ],
        ),
        migrations.CreateModel(
            name='SentCommand',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.CharField(help_text='What makes its response_url unguessable', max_length=64, unique=True)),
                ('command', models.CharField(choices=[('CANCEL_RESERVATION', 'CANCEL_RESERVATION'), ('RESERVE_NOW', 'RESERVE_NOW'), ('START_SESSION', 'START_SESSION'), ('STOP_SESSION', 'STOP_SESSION'), ('UNLOCK_CONNECTOR', 'UNLOCK_CONNECTOR'), ('ACTIVE_CHARGING_PROFILE', 'ACTIVE_CHARGING_PROFILE'), ('SET_CHARGING_PROFILE', 'SET_CHARGING_PROFILE'), ('CLEAR_CHARGING_PROFILE', 'CLEAR_CHARGING_PROFILE')], max_length=40)),
                ('commander', models.CharField(help_text='CC*PID of ours that commands', max_length=6)),
                ('party', models.CharField(help_text='CC*PID that is commanded', max_length=6)),
                ('subject', models.CharField(help_text='What it is about: Session, reservation, or place', max_length=120)),
                ('document', models.TextField(help_text='As we sent it')),
                ('correlation_id', models.CharField(max_length=128)),
                ('ordered_by', models.CharField(blank=True, max_length=150)),
                ('sent_at', models.DateTimeField(auto_now_add=True)),
                ('state', models.CharField(choices=[('SENDING', 'being sent'), ('FAILED', 'not delivered'), ('REFUSED', 'refused'), ('WAITING', 'waits for the result'), ('TIMED_OUT', 'no result in time'), ('RESOLVED', 'has a result')], default='SENDING', max_length=10)),
                ('response', models.CharField(blank=True, max_length=40)),
                ('response_document', models.TextField(blank=True, default='')),
                ('deadline', models.DateTimeField(blank=True, help_text='The result was promised until then', null=True)),
                ('result', models.CharField(blank=True, max_length=40)),
                ('resolved_at', models.DateTimeField(blank=True, null=True)),
                ('late', models.BooleanField(default=False, help_text='The result came after the deadline')),
                ('error', models.TextField(blank=True, default='')),
                ('platform', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sent_commands', to='roaming.platform')),
            ],
        ),
        migrations.CreateModel(
            name='ReturnedResult',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('result', models.CharField(max_length=40)),
                ('document', models.TextField()),
                ('counts', models.BooleanField()),
                ('late', models.BooleanField()),
                ('received_at', models.DateTimeField(auto_now_add=True)),
                ('command', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='returned', to='roaming.sentcommand')),
            ],
        ),
        migrations.CreateModel(
            name='ActiveProfile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('owner', models.CharField(help_text="CC*PID of the Session's owner", max_length=6)),
                ('session_key', models.CharField(help_text="The Session's id, lower case", max_length=120)),
                ('document', models.TextField(help_text='The ActiveChargingProfile as it came')),
                ('received_at', models.DateTimeField(auto_now=True)),
                ('platform', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='active_profiles', to='roaming.platform')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('owner', 'session_key'), name='activeprofile_key')],
            },
        ),
        migrations.CreateModel(
            name='ProfileFollower',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('document', models.TextField(blank=True, default='', help_text='The body of the request')),
                ('due_at', models.DateTimeField(blank=True, help_text='Next attempt; empty: delivered, or given up', null=True)),
                ('claimed_until', models.DateTimeField(blank=True, help_text='A worker is sending it until then', null=True)),
                ('revision', models.PositiveIntegerField(default=1, help_text='Counts what there was to tell')),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('delivered_at', models.DateTimeField(blank=True, null=True)),
                ('error', models.TextField(blank=True, default='', help_text='Of the last attempt')),
                ('party', models.CharField(help_text='CC*PID that set the profile', max_length=6)),
                ('owner', models.CharField(help_text='CC*PID of ours whose Session it is', max_length=6)),
                ('session_key', models.CharField(help_text="The Session's id, lower case", max_length=120)),
                ('session_id', models.CharField(blank=True, default='', help_text='As its owner spells it', max_length=120)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('platform', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='profile_followers', to='roaming.platform')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='profilefollower_due'), models.Index(fields=['owner', 'session_key'], name='profilefollower_session')],
                'constraints': [models.UniqueConstraint(fields=('platform', 'party', 'owner', 'session_key'), name='profilefollower_key')],
            },
        ),
        migrations.AddIndex(
            model_name='receivedcommand',
            index=models.Index(condition=models.Q(('deadline__isnull', False)), fields=['deadline'], name='receivedcommand_awaited'),
        ),
        migrations.AddIndex(
            model_name='receivedcommand',
            index=models.Index(fields=['received_at'], name='receivedcommand_age'),
        ),
        migrations.AddIndex(
            model_name='commandoutcome',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at'], name='commandoutcome_due'),
        ),
        migrations.AddConstraint(
            model_name='commandoutcome',
            constraint=models.UniqueConstraint(fields=('command', 'rank'), name='commandoutcome_once'),
        ),
        migrations.AddIndex(
            model_name='sentcommand',
            index=models.Index(fields=['state', 'deadline'], name='sentcommand_awaited'),
        ),
    ]
