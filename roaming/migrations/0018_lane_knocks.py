from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("roaming", "0017_tariff_lab")]

    operations = [
        migrations.AddField(
            "lane",
            "knocks",
            models.BigIntegerField(
                default=0, db_default=0, help_text="How often the worker in the lane was told to look once more"
            ),
        ),
        migrations.AddField(
            "lane",
            "called_until",
            models.DateTimeField(blank=True, help_text="A worker was sent for, and is expected until then", null=True),
        ),
    ]
