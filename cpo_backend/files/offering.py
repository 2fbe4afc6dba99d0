"""Gives operations the URLs they need: of a firmware file of ours, and of where diagnostics are to be sent."""

from dataclasses import replace
from datetime import timedelta

from cpo_backend.files import links
from cpo_backend.files.links import Mode
from cpo_backend.models import ChargerFile, OperationJob, OperationStep
from cpo_backend.operations.requests import Unfit, Wish

Kind = OperationJob.Kind
# A charger fetches in its own time, and goes on where it was cut off.
_DOWNLOAD, _UPLOAD = timedelta(days=3), timedelta(days=1)


def located(step: OperationStep, wish: Wish) -> Wish:
    """The wish with a location, if it needs one and staff have not said another; raises Unfit."""
    if wish.parameters.get("location"):
        return wish
    if wish.kind == Kind.FIRMWARE and wish.parameters.get("file"):
        return _at(wish, _firmware(wish))
    if wish.kind == Kind.DIAGNOSTICS:
        row = ChargerFile.objects.create(
            kind=ChargerFile.Kind.DIAGNOSTICS, charger=step.charger, step=step, created_at=wish.now
        )
        return _at(wish, links.url(row.pk, Mode.PUT, _UPLOAD))
    return wish


def _firmware(wish: Wish) -> str:
    told = wish.parameters["file"]
    rows = ChargerFile.objects.filter(kind=ChargerFile.Kind.FIRMWARE).exclude(received_at=None)
    row = rows.filter(pk=told).first() if isinstance(told, int) else None
    if row is None:
        raise Unfit(f"there is no firmware file {told}, or its content has not come")
    return links.url(row.pk, Mode.GET, _DOWNLOAD, row.name)


def _at(wish: Wish, location: str) -> Wish:
    return replace(wish, parameters={**wish.parameters, "location": location})
