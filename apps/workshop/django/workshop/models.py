"""What the application remembers."""

from __future__ import annotations

from django.db import models, transaction


class Counter(models.Model):
    """A number that only rises. A migration makes the one row that the page uses."""

    name = models.CharField(max_length=50, primary_key=True)
    value = models.PositiveBigIntegerField(default=0)

    @classmethod
    def increment(cls, name: str) -> int:
        """Add one and return the sum, also when many requests do so at once."""
        with transaction.atomic():
            # The database adds, so no two requests can read the same number first. Writing before reading takes the
            # lock that keeps others out until this sum is read.
            cls.objects.filter(name=name).update(value=models.F("value") + 1)
            return cls.objects.get(name=name).value
