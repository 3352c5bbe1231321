"""The counter, and the one row that the page uses."""

from django.db import migrations, models


def add_row(apps, _schema_editor):
    apps.get_model("workshop", "Counter").objects.get_or_create(name="visits")


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Counter",
            fields=[
                ("name", models.CharField(max_length=50, primary_key=True, serialize=False)),
                ("value", models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.RunPython(add_row, migrations.RunPython.noop),
    ]
