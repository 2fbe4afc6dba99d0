"""What every read-only page of the admin shares: no writing, and JSON, defects and tables made readable."""

import contextlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.db.models import Model
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import localize
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.admin import ModelAdmin

from ocpi.types.validation import Violation

_violations = msgspec.json.Decoder(list[Violation])


class ReadOnlyAdmin(ModelAdmin):
    """Rows that only the program writes."""

    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def chip(tone: str, text: str) -> SafeString:
    """A label whose text says what its colour says; any tone but success, info, warning and danger is neutral."""
    return render_to_string("unfold/helpers/label.html", {"type": tone, "text": text})


def table(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> SafeString:
    """A table in the look of the admin; plain cells are escaped."""
    return render_to_string("ocpi/admin/table.html", {"table": {"headers": headers, "rows": list(rows)}})


def link(row: Model, text: str) -> SafeString:
    """To the page of a row."""
    url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a class="text-link" href="{}">{}</a>', url, text)


def when(moment: datetime | None) -> str:
    """A moment as the admin writes it everywhere."""
    return str(localize(timezone.localtime(moment))) if moment else "-"


def shorten(text: str, length: int = 90) -> str:
    """A text as a list shows it."""
    return Truncator(text).chars(length) or "-"


def document(text: str) -> SafeString:
    """JSON text, indented; its numbers stay digit for digit."""
    with contextlib.suppress(msgspec.DecodeError):  # then it is shown as it came
        text = msgspec.json.format(text, indent=2)
    return format_html('<pre class="node-document">{}</pre>', text)


def violations(text: str) -> list[Violation]:
    """The defects stored with an object."""
    return _violations.decode(text) if text else []


def defects(text: str) -> SafeString:
    """The defects stored with an object, as a table."""
    found = violations(text)
    if not found:
        return format_html('<div class="node-table">{}</div>', "none")
    return table(
        ("Where", "Code", "What is wrong", "Object usable"),
        (
            (
                format_html("<code>{}</code>", violation.pointer or "(the document)"),
                violation.code,
                violation.message,
                chip("danger", "no") if violation.fatal else chip("success", "yes"),
            )
            for violation in found
        ),
    )
