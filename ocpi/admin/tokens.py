"""Tokens for staff: partners' can be looked at; our own are issued, changed, blocked, imported and exported."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ocpi.admin import token_members as members
from ocpi.admin.filters import DefectsFilter, OwnerFilter, values_of
from ocpi.admin.objects import DETAIL, OWN, Face, decoder
from ocpi.admin.reading import chip
from ocpi.admin.token_actions import TokenActions
from ocpi.admin.token_files import TokenFiles
from ocpi.admin.token_form import IssueForm, TokenForm, issued
from ocpi.ids import PartyId
from ocpi.models import ObjectCount, OwnedObject, Token
from ocpi.store.documents import Document
from ocpi.store.objects import Arrival
from ocpi.store.tokens import tokens
from ocpi.v221.common import TokenType
from ocpi.v221.tokens import WhitelistType

TONES = {"valid": "success", "blocked": "danger", "expired": "warning", "no credit": "warning"}
FACTS = (
    ("owner", "object_id"),
    ("type", "state"),
    ("origin", "decisions"),
    ("last_updated", "received_at"),
    "revision",
)


def state(token: Token) -> str:
    """Whether it may charge, and what is against it; we do not know the terms of partners' Tokens."""
    if token.source is None:
        terms = members.terms(token)
        if terms.expired(timezone.now()):
            return "expired"
        if not terms.has_credit:
            return "no credit"
    return "valid" if token.valid else "blocked"


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in TONES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Token]) -> QuerySet[Token]:
        expired = Q(source=None, expires_at__isnull=False, expires_at__lte=timezone.now())
        no_credit = Q(source=None, has_credit=False)
        match self.value():
            case "valid" | "blocked" as name:
                return queryset.filter(valid=name == "valid").exclude(expired).exclude(no_credit)
            case "expired":
                return queryset.filter(expired)
            case "no credit":
                return queryset.filter(no_credit).exclude(expired)
        return queryset


class IssuedMeanwhile(Exception):
    """Somebody else issued the same Token while the form was being answered."""


class _Face(Face):
    uid: Any = ""
    visual_number: Any = None


@admin.register(Token)
class TokenAdmin(TokenFiles, TokenActions):
    faces = decoder(_Face)
    list_display = (
        "object_id", "type", "owner", "contract_id", "visual_number", "state", "whitelist", "defect_count", "origin",
        "last_updated",
    )  # fmt: skip
    list_filter = (
        OwnerFilter,
        values_of("type", TokenType),
        values_of("whitelist", WhitelistType),
        StateFilter,
        DefectsFilter,
        OWN,
    )
    search_help_text = "Exact uid or contract id; NL*TNM and visual number"
    fieldsets = (
        (None, {"fields": FACTS}),
        ("Contract", {"fields": (("contract_id", "visual_number"), "whitelist")}),
        ("Terms", {"fields": (("expires_at", "has_credit"), "places")}),
        *DETAIL,
    )
    readonly_fields = ("object_id", "origin", "state", "decisions", "defect_table", "pretty")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Token], search_term: str
    ) -> tuple[QuerySet[Token], bool]:
        """By indexes; visual numbers have none: they are looked for among one owner's, when nothing else is found."""
        first, _, rest = search_term.strip().partition(" ")
        owners = ObjectCount.objects.filter(module=Token.module.value, owner=first.upper())
        if not owners.exists():
            return (queryset.filter(_named(search_term.strip())) if first else queryset), False
        queryset = queryset.filter(owner=first.upper())
        if term := rest.strip():
            found = queryset.filter(_named(term))
            return found if found.exists() else queryset.filter(visual_number=term), False
        return queryset, False

    # --- who may do what ---

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("ocpi.add_token")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Our own; where `obj` is an id or nothing, whether there is anything to change is found out later."""
        return request.user.has_perm("ocpi.change_token") and not (isinstance(obj, Token) and obj.source is not None)

    # --- forms ---

    def get_form(self, request: HttpRequest, obj: Token | None = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            return IssueForm
        return TokenForm if self.has_change_permission(request, obj) else super().get_form(request, obj, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Token | None = None) -> Any:
        if obj is None:
            return _fieldsets(IssueForm)
        if self.has_change_permission(request, obj):
            return ((None, {"fields": FACTS}), *_fieldsets(TokenForm), *DETAIL)
        return self.fieldsets if obj.source is None else tuple(part for part in self.fieldsets if part[0] != "Terms")

    def get_readonly_fields(self, request: HttpRequest, obj: Token | None = None) -> Any:
        if obj is None:
            return ()
        return ("owner", "type", "last_updated", "received_at", "revision", *self.readonly_fields)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        try:
            return super().add_view(request, form_url, extra_context)  # type: ignore[no-any-return]
        except IssuedMeanwhile as error:
            self.message_user(request, f"{error} was issued meanwhile; this is it.", messages.WARNING)
            (found,) = error.args
            return redirect("admin:ocpi_token_change", found.pk)

    def save_model(self, request: HttpRequest, obj: Token, form: Any, change: bool) -> None:
        if change:
            self._revise(request, obj, form)
            return
        document = form.document
        party = PartyId.of(document["country_code"], document["party_id"])
        fresh = tokens.issue(document, form.terms)
        found = issued(party, document["uid"], document["type"])
        if not fresh:
            raise IssuedMeanwhile(found)
        vars(obj).update(vars(found))

    def _revise(self, request: HttpRequest, token: Token, form: TokenForm) -> None:
        """Write what the form changed over what is stored by now."""
        given = {name: form.values[name] for name in members.changes(form.base, form.values)}

        def reconcile(stored: Document, _: Document) -> Document:
            return members.revised(stored, given)

        tokens.put(Arrival(form.document), None, reconcile)
        if form.terms != members.terms(Token.objects.get(pk=token.pk)):
            tokens.agree(token.pk, form.terms)
            if not token.valid and form.terms.usable(timezone.now()):
                self.message_user(request, "The Token is still blocked: unblock it if it may charge.", messages.WARNING)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """For the history: what was, and what is."""
        if add:
            return "Issued."
        told = [f"{name}: {old} → {new}" for name, (old, new) in members.changes(form.base, form.values).items()]
        told += [
            f"{name}: {form[name].initial} → {form.cleaned_data[name]}"
            for name in form.changed_data
            if name not in members.MEMBERS
        ]
        return "; ".join(told) or "Nothing changed."

    # --- columns and facts ---

    @admin.display(description="Uid")
    def object_id(self, row: OwnedObject) -> SafeString:
        return format_html('<span class="whitespace-nowrap">{}</span>', self.face(row).uid)

    @admin.display(description="State")
    def state(self, token: Token) -> SafeString:
        found = state(token)
        return chip(TONES[found], found)

    @admin.display(description="Decisions")
    def decisions(self, token: Token) -> SafeString:
        url = reverse("admin:roaming_authorization_changelist", query={"q": token.uid})
        return format_html('<a class="text-link" href="{}">{}</a>', url, "Authorizations of this uid")


def _named(term: str) -> Q:
    """By uid, or contract id in the spellings that are in use: as typed, and in capitals."""
    return Q(uid=term.lower()) | Q(contract_id__in={term, term.upper()})


def _fieldsets(form: type[TokenForm]) -> tuple[Any, ...]:
    return tuple((title, {"fields": rows}) for title, *rows in form.ORDER)
