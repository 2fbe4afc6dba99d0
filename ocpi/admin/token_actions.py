"""Blocking and unblocking Tokens of our own, one or many: a page asks (GET, or the action), then it is done (POST)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.decorators import action
from unfold.enums import ActionVariant

from ocpi.admin import token_members as members
from ocpi.admin.objects import FoundByKey
from ocpi.models import Token
from ocpi.store.tokens import tokens

AT_ONCE = 2_000  # Tokens in one action: seconds on SQLite, in which nobody else writes
NAMED = 5  # Tokens in a message


@dataclass(frozen=True, slots=True)
class Question:
    """What staff confirm."""

    title: str
    text: str
    done: str
    valid: bool  # what the Tokens are afterwards
    do: Callable[[Iterable[int]], Any]


QUESTIONS = {
    "block": Question(
        "Block",
        "CPOs are told that these Tokens are not valid, and we answer BLOCKED when they ask. One that trusts its "
        "list without asking may let them charge until it has the news.",
        "blocked",
        False,
        lambda ids: tokens.block(ids),
    ),
    "unblock": Question(
        "Unblock",
        "CPOs are told that these Tokens are valid again. Those that have expired or have no credit stay refused.",
        "unblocked",
        True,
        lambda ids: tokens.unblock(ids),
    ),
}


class TokenActions(FoundByKey):
    """Actions of the list (`block_selected`) and of one Token (`block`)."""

    actions = ("block_selected", "unblock_selected")
    actions_detail = ("block", "unblock")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only for a Token of our own, and only what changes it."""
        token = self.get_object(request, str(object_id))
        prefix = f"{self.opts.app_label}_{self.opts.model_name}_"
        return [
            offered
            for offered in super().get_actions_detail(request, object_id)
            if token
            and token.source is None
            and token.valid is not QUESTIONS[offered.action_name.removeprefix(prefix)].valid
        ]

    @action(description="Block", permissions=["change"], icon="block", variant=ActionVariant.DANGER)
    def block(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._one(request, object_id, "block")

    @action(description="Unblock", permissions=["change"], icon="lock_open")
    def unblock(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._one(request, object_id, "unblock")

    @admin.action(description="Block selected Tokens", permissions=["change"])
    def block_selected(self, request: HttpRequest, queryset: QuerySet[Token]) -> HttpResponse | None:
        return self._many(request, queryset, "block")

    @admin.action(description="Unblock selected Tokens", permissions=["change"])
    def unblock_selected(self, request: HttpRequest, queryset: QuerySet[Token]) -> HttpResponse | None:
        return self._many(request, queryset, "unblock")

    def _one(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        token = self.get_object(request, object_id)
        if token is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        if token.source is None and request.method != "POST":
            return self._asked(request, name, [token], {})
        self._done(request, name, [token])
        return redirect("admin:ocpi_token_change", token.pk)

    def _many(self, request: HttpRequest, queryset: QuerySet[Token], name: str) -> HttpResponse | None:
        found = list(queryset.defer("document", "defects")[: AT_ONCE + 1])
        if len(found) > AT_ONCE:
            text = f"At most {AT_ONCE:,} Tokens at once: filter the list, or select fewer."
            self.message_user(request, text, messages.WARNING)
        elif "confirmed" in request.POST:
            self._done(request, name, found)
        else:
            kept = {
                key: request.POST.getlist(key) for key in (ACTION_CHECKBOX_NAME, "action", "select_across", "index")
            }
            return self._asked(request, name, found, kept)
        return None

    def _asked(self, request: HttpRequest, name: str, found: list[Token], kept: dict[str, list[str]]) -> HttpResponse:
        """The page that asks; `kept` is what the list posted to get here."""
        question = QUESTIONS[name]
        ours = [token for token in found if token.source is None]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{question.title} {_named(ours)}",
            "text": question.text,
            "note": _passed_over(found),
            "button": question.title,
            "danger": not question.valid,
            "kept": kept,
            "back": request.get_full_path() if kept else f"../../{found[0].pk}/change/",
        }
        return TemplateResponse(request, "ocpi/admin/confirm.html", context)

    def _done(self, request: HttpRequest, name: str, found: list[Token]) -> None:
        """Do it, tell, and leave a trace at each Token that it changed."""
        question = QUESTIONS[name]
        ours = [token for token in found if token.source is None]
        due = [token for token in ours if token.valid is not question.valid]
        already, now = len(ours) - len(due), timezone.now()
        refused = [token for token in due if question.valid and not members.terms(token).usable(now)]
        due = [token for token in due if not question.valid or members.terms(token).usable(now)]
        with transaction.atomic():
            question.do([token.pk for token in due])
            LogEntry.objects.log_actions(
                request.user.pk,  # type: ignore[arg-type]
                due,
                CHANGE,
                f"{question.done.capitalize()}.",
            )
        told = [
            f"{_named(due, f' {question.done}')}." if due else "",
            f"{already} {'was' if already == 1 else 'were'} {question.done} already." if already else "",
            f"Still blocked, being expired or without credit: {_named(refused)}." if refused else "",
            _passed_over(found),
        ]
        self.message_user(request, " ".join(filter(None, told)), messages.SUCCESS if due else messages.WARNING)


def _named(found: list[Token], done: str = "") -> str:
    """How many Tokens, what was done, and the first of them."""
    names = ", ".join(str(token) for token in found[:NAMED])
    more = f" and {len(found) - NAMED:,} more" if len(found) > NAMED else ""
    return f"{len(found):,} Token{'s' * (len(found) != 1)}{done}" + (f": {names}{more}" if found else "")


def _passed_over(found: list[Token]) -> str:
    theirs = [token for token in found if token.source is not None]
    return f"Passed over, being partners': {_named(theirs)}." if theirs else ""
