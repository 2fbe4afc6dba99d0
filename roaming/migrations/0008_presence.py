"""When a platform was last heard of, and since when it is OFFLINE."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('roaming', '0007_exchanges'),
    ]

    operations = [
        migrations.AddField(
            model_name='platform',
            name='last_seen_at',
            field=models.DateTimeField(blank=True, help_text='It called us or answered; to half a minute', null=True),
        ),
        migrations.AddField(
            model_name='platform',
            name='offline_since',
            field=models.DateTimeField(blank=True, help_text='Since then only probes call it', null=True),
        ),
        migrations.AddField(
            model_name='platform',
            name='probe_at',
            field=models.DateTimeField(blank=True, help_text='Not before', null=True, verbose_name='next probe at'),
        ),
    ]
