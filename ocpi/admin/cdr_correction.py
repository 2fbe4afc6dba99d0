"""Crediting and replacing a CDR of our own: a page shows both totals and asks (GET), then it is done (POST)."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminRadioSelectWidget

from ocpi.admin.objects import FoundByKey, amount
from ocpi.admin.reading import table
from ocpi.ids import PartyId
from ocpi.models import Cdr
from ocpi.store import corrections
from ocpi.store.corrections import Uncorrectable
from ocpi.store.documents import Document
from ocpi.types import codec


class CorrectionForm(forms.Form):
    """What replaces the CDR."""

    way = forms.ChoiceField(
        label="Replace it by",
        choices=[("reprice", "the same with our engine's figures"), ("file", "the CDR in a file")],
        initial="reprice",
        widget=UnfoldAdminRadioSelectWidget,
    )
    file = forms.FileField(
        label="Corrected CDR",
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text="A whole CDR as JSON. It gets a new id unless it brings one.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("way") != "file":
            return cleaned
        if not (upload := cleaned.get("file")):
            raise forms.ValidationError("Choose a file.")
        try:
            cleaned["document"] = codec.decode(upload.read())
        except codec.MalformedJson as error:
            raise forms.ValidationError(f"The file is not JSON: {error}") from None
        return cleaned


class Correcting(FoundByKey):
    """The action of one CDR."""

    actions_detail = ("correct",)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only for a CDR that can be corrected."""
        cdr = self.get_object(request, str(object_id))
        return super().get_actions_detail(request, object_id) if cdr and not corrections.refused(cdr) else []

    def has_correct_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("ocpi.change_cdr"))

    @action(
        description="Credit and correct",
        permissions=["correct"],
        icon="currency_exchange",
        variant=ActionVariant.DANGER,
    )
    def correct(self, request: HttpRequest, object_id: str) -> HttpResponse:
        cdr = self.get_object(request, object_id)
        if cdr is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        if refusal := corrections.refused(cdr):
            self.message_user(request, f"It cannot be corrected: {refusal}.", messages.ERROR)
            return redirect("admin:ocpi_cdr_change", cdr.pk)
        form = CorrectionForm(request.POST or None, request.FILES or None)
        if form.is_valid():
            try:
                made = self._made(cdr, form.cleaned_data, request.user.get_username())
            except Uncorrectable as refusal:
                form.add_error(None, str(refusal))
            else:
                told = (
                    f"Credited by {made.credit['id']} and replaced by {made.replacement['id']}; both are on their way."
                )
                self.message_user(request, told, messages.SUCCESS)
                return redirect("admin:ocpi_cdr_change", cdr.pk)
        return self._asked(request, cdr, form)

    def _made(self, cdr: Cdr, chosen: dict[str, Any], by: str) -> corrections.Corrected:
        new = corrections.repriced(cdr) if chosen["way"] == "reprice" else chosen["document"]
        return corrections.correct(PartyId(cdr.owner), cdr.key, new, by)

    def _asked(self, request: HttpRequest, cdr: Cdr, form: CorrectionForm) -> HttpResponse:
        document: Document = codec.decode(cdr.document.encode())
        try:
            repriced = corrections.repriced(cdr)
            computed = amount(repriced["total_cost"], repriced["currency"])
        except Uncorrectable as refusal:
            computed = str(refusal)
        claimed = amount(document.get("total_cost"), document.get("currency"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Credit and correct CDR {document['id']}",
            "totals": table(("", "Total"), [("as it was sent", claimed), ("by our engine", computed)]),
            "form": form,
            "back": f"../../{cdr.pk}/change/",
        }
        return TemplateResponse(request, "ocpi/admin/correct_cdr.html", context)
