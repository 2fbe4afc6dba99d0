"""Writing Tariffs of our own: a page shows what they say and cost, then they are stored, changed, or withdrawn."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.enums import ActionVariant

from ocpi.admin.objects import FoundByKey
from ocpi.admin.tariff_form import BuildForm, JsonForm, TariffForm
from ocpi.admin.tariff_preview import digest
from ocpi.ids import PartyId
from ocpi.models import Tariff
from ocpi.store.documents import Document
from ocpi.store.objects import Arrival
from ocpi.store.tariffs import tariffs
from ocpi.types import codec

_LIST = "admin:ocpi_tariff_changelist"


class Elsewhere(Exception):
    """Somebody else has stored another Tariff of that id."""


class TariffDesk(FoundByKey):
    """The page that adds, and actions of one Tariff: change it as JSON, withdraw it, try it in the lab."""

    actions_detail = ("revise", "withdraw", "lab")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("ocpi.add_tariff"))

    def has_revise_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("ocpi.change_tariff"))

    def has_withdraw_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("ocpi.delete_tariff"))

    def has_lab_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("roaming.add_labrun"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Partners' Tariffs can only be tried, withdrawn ones not even that."""
        tariff = self.get_object(request, str(object_id))
        offered: list[Any] = super().get_actions_detail(request, object_id)
        if tariff is None or tariff.deleted:
            return []
        return offered if tariff.source is None else [one for one in offered if one.action_name.endswith("lab")]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = BuildForm(request.POST or None)
        about = "Every price is without VAT. What is left empty is not paid for."
        if self._is_confirmed(request, form):
            try:
                _store(form.documents, None)
            except Elsewhere as error:
                form.add_error("id", f"There is a Tariff {error} already.")
            else:
                names = ", ".join(document["id"] for document in form.documents)
                self._told(request, form.documents, ADDITION, f"Stored: {names}.")
                return redirect(_LIST)
        return self._asked(request, form, "New Tariff", about, reverse(_LIST))

    @action(description="Change as JSON", permissions=["revise"], icon="edit")
    def revise(self, request: HttpRequest, object_id: str) -> HttpResponse:
        tariff = self._ours(request, object_id)
        if tariff is None:
            return redirect(_LIST)
        page = reverse("admin:ocpi_tariff_change", args=[tariff.pk])
        base = codec.decode(tariff.document.encode())
        form = JsonForm(request.POST or None, base)
        if self._is_confirmed(request, form):
            try:
                _store(form.documents, request.POST["base"])
            except Elsewhere:
                form.add_error("document", "It was changed by somebody else meanwhile: look at it again.")
            else:
                self._told(request, form.documents, CHANGE, f"{base['id']} is changed.")
                return redirect(page)
        about = "For what the form does not cover. Who, what id and when it was written stay as they are."
        return self._asked(request, form, f"Change Tariff {base['id']}", about, page, base)

    @action(description="Withdraw", permissions=["withdraw"], icon="delete", variant=ActionVariant.DANGER)
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        tariff = self._ours(request, object_id)
        if tariff is None:
            return redirect(_LIST)
        if request.method == "POST":
            tariffs.delete(PartyId(tariff.owner), tariff.key, None)
            self._log(request, [tariff], DELETION, "Withdrawn.")
            self.message_user(request, f"{tariff} is withdrawn.", messages.SUCCESS)
            return redirect("admin:ocpi_tariff_change", tariff.pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Withdraw Tariff {tariff}",
            "text": "Partners are told that it is no more. Connectors that name it are not changed; CDRs keep it.",
            "button": "Withdraw",
            "danger": True,
            "back": reverse("admin:ocpi_tariff_change", args=[tariff.pk]),
        }
        return TemplateResponse(request, "ocpi/admin/confirm.html", context)

    @action(description="Tariff lab", permissions=["lab"], icon="science")
    def lab(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect(reverse("admin:roaming_labrun_add", query={"tariff": object_id}))

    # --- what they share ---

    def _ours(self, request: HttpRequest, object_id: str) -> Tariff | None:
        """A Tariff of our own that is in use."""
        tariff = self.get_object(request, object_id)
        if isinstance(tariff, Tariff) and tariff.source is None and not tariff.deleted:
            return tariff
        self.message_user(request, "There is no such Tariff of our own.", messages.ERROR)
        return None

    def _is_confirmed(self, request: HttpRequest, form: TariffForm) -> bool:
        """Whether what the form says is what was shown."""
        return form.is_valid() and request.POST.get("seen") == digest(form.documents)

    def _asked(
        self, request: HttpRequest, form: TariffForm, title: str, about: str, back: str, base: Document | None = None
    ) -> HttpResponse:
        """The page: the form, and once it can be stored, what will be."""
        shown = form.previews if form.is_bound and form.is_valid() else []
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "about": about,
            "form": form,
            "previews": shown,
            "warnings": sum(preview.warnings for preview in shown),
            "seen": digest(form.documents) if shown else "",
            "base": request.POST.get("base") or (digest([base]) if base else ""),
            "back": back,
        }
        return TemplateResponse(request, "ocpi/admin/tariff_form.html", context)

    def _told(self, request: HttpRequest, documents: Sequence[Document], flag: int, text: str) -> None:
        owner = PartyId.of(documents[0]["country_code"], documents[0]["party_id"])
        rows = Tariff.objects.filter(owner=owner, key__in=[document["id"].lower() for document in documents])
        self._log(request, list(rows), flag, text)
        self.message_user(request, text, messages.SUCCESS)

    def _log(self, request: HttpRequest, rows: list[Tariff], flag: int, text: str) -> None:
        LogEntry.objects.log_actions(request.user.pk, rows, flag, text)  # type: ignore[arg-type]


def _store(documents: Sequence[Document], base: str | None) -> None:
    """Store all of them, or raise `Elsewhere`: new ones must not be there yet, a changed one must still be `base`."""

    def reconcile(stored: Document, new: Document) -> Document:
        if base is None or digest([stored]) != base:
            raise Elsewhere(stored["id"])
        return new

    with transaction.atomic():
        outcome = tariffs.put_many([Arrival(document) for document in documents], None, reconcile)
        if outcome.created and base is not None:
            raise Elsewhere(documents[0]["id"])  # it was withdrawn
