"""Leases: one process at a time does what only one may do; another takes over when it is gone."""

import os
import secrets
import socket
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from roaming.lease_models import Lease

TERM = timedelta(seconds=10)


class Holder:
    """One process's hold on a lease."""

    def __init__(self, name: str, now: Callable[[], datetime] = timezone.now) -> None:
        self.name, self._now = name, now
        self.holder = f"{socket.gethostname()[:60]} {os.getpid()} {secrets.token_hex(4)}"
        self._until = now()

    def hold(self) -> bool:
        """Take the lease, or renew it when half of its term is over; False while another holds it."""
        now = self._now()
        if now < self._until - TERM / 2:
            return True
        until = now + TERM
        free = Q(holder=self.holder) | Q(until__lt=now)
        held = Lease.objects.filter(free, name=self.name).update(holder=self.holder, until=until) or self._first(until)
        self._until = until if held else now
        return bool(held)

    def release(self) -> None:
        """Give it up, so that another need not wait."""
        Lease.objects.filter(name=self.name, holder=self.holder).delete()
        self._until = self._now()

    def _first(self, until: datetime) -> bool:
        return Lease.objects.get_or_create(name=self.name, defaults={"holder": self.holder, "until": until})[1]
