"""Status changes of EVSEs get places of their own in the feed."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ocpi', '0003_modules'),
    ]

    operations = [
        migrations.AddField(
            model_name='location',
            name='version',
            field=models.BigIntegerField(db_default=0, default=0, help_text="The last revision, a status's included"),
        ),
        migrations.AddField(
            model_name='evsestatus',
            name='revision',
            field=models.BigIntegerField(db_default=0, default=0, help_text='Place of the last status change in the feed'),
        ),
        migrations.AddField(
            model_name='evsestatus',
            name='xid',
            field=models.BigIntegerField(db_default=0, default=0, help_text="PostgreSQL's xid8 of that change; 0 on SQLite"),
        ),
        migrations.AddIndex(
            model_name='evsestatus',
            index=models.Index(fields=['xid', 'revision'], name='evse_feed'),
        ),
    ]
