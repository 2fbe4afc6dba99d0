"""Only one beat at a time."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('roaming', '0011_pulls'),
    ]

    operations = [
        migrations.CreateModel(
            name='Lease',
            fields=[
                ('name', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('holder', models.CharField(help_text='Host, process, and a number of its own', max_length=120)),
                ('until', models.DateTimeField()),
            ],
        ),
    ]
