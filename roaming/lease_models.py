"""Who may do what only one process may do at a time."""

from django.db import models


class Lease(models.Model):
    """The right to one task, until a moment; whoever holds it renews it, and who died loses it."""

    name = models.CharField(max_length=40, primary_key=True)
    holder = models.CharField(max_length=120, help_text="Host, process, and a number of its own")
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.holder}"
