"""What the hub remembers of commands that it passes on."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('roaming', '0005_authorization_by_command'),
    ]

    operations = [
        migrations.CreateModel(
            name='Callback',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uid', models.CharField(help_text='What makes our URL unguessable', max_length=64, unique=True)),
                ('requester_party', models.CharField(help_text='CC*PID that asked', max_length=6)),
                ('receiver_party', models.CharField(help_text='CC*PID that was asked, and alone may answer', max_length=6)),
                ('what', models.CharField(help_text='Module and command', max_length=60)),
                ('subject', models.CharField(blank=True, help_text='The reservation, lower case', max_length=36)),
                ('response_url', models.TextField(help_text='Where the requester wants the result')),
                ('correlation_id', models.CharField(max_length=128)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField(help_text='Nothing is passed on after that')),
                ('result', models.CharField(blank=True, help_text='The last that was passed on', max_length=40)),
                ('passed_on_at', models.DateTimeField(blank=True, null=True)),
                ('results', models.PositiveIntegerField(default=0, help_text='How many were passed on')),
                ('receiver', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='roaming.platform')),
                ('requester', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='callbacks', to='roaming.platform')),
            ],
            options={
                'indexes': [models.Index(fields=['expires_at'], name='callback_expiry'), models.Index(condition=models.Q(('subject', ''), _negated=True), fields=['subject'], name='callback_subject')],
            },
        ),
    ]
