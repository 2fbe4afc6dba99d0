"""Import and export of Tokens in the admin: what is uploaded is previewed, then its good rows are stored."""

from collections.abc import Sequence
from typing import Any

import tablib
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from import_export.admin import ImportExportMixin
from import_export.fields import Field
from import_export.resources import Resource
from import_export.results import Result, RowResult
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from ocpi.admin import token_cells as cells
from ocpi.admin import token_rows
from ocpi.admin.files import MOST_ROWS, CsvFile, Gone, Unreadable, Uploads, XlsxFile
from ocpi.admin.reading import shorten, table
from ocpi.admin.token_rows import Row
from ocpi.models import Token
from ocpi.store.tokens import Terms
from ocpi.types import codec

SHOWN = 100  # rows of a table in the preview; the counts are of all


class TokenResource(Resource):
    """Tokens as rows; `token_rows` judges and writes them, so that import-export neither reads nor saves any."""

    @classmethod
    def get_display_name(cls) -> str:
        return "Tokens"

    def get_user_visible_fields(self) -> list[Field]:
        return [Field(column_name=name) for name in cells.COLUMNS]

    def import_data(self, dataset: tablib.Dataset, dry_run: bool = False, **kwargs: Any) -> Result:
        """Judge every row, then store the good ones unless this is a dry run; the history of each names the file."""
        result = Result()
        rows = token_rows.judge(dataset.headers, dataset.dict)
        for row in rows:
            outcome = RowResult()
            outcome.import_type = row.outcome
            result.increment_row_result_total(outcome)
        result.total_rows, result.read = len(rows), rows
        result.report = report(result) if dry_run else None
        if not dry_run:
            with transaction.atomic():
                written = token_rows.store(dataset.headers, rows)
                _log(kwargs["user"].pk, written, kwargs.get("file_name") or "a file")
        return result

    def export(self, queryset: QuerySet[Token], **kwargs: Any) -> tablib.Dataset:
        columns = ("owner", "document", "source", "expires_at", "has_credit", "places")
        found = queryset.order_by("owner", "key").values_list(*columns)[: MOST_ROWS + 1]
        dataset = tablib.Dataset(headers=cells.COLUMNS)
        for owner, document, source, *terms in found.iterator(chunk_size=2000):
            if len(dataset) == MOST_ROWS:
                raise ValueError(f"There are more than {MOST_ROWS:,} Tokens: filter the list and export it in parts.")
            ours = Terms.of(*terms) if source is None else None
            dataset.append(cells.written(owner, codec.decode(document.encode()), ours))
        return dataset


class TokenFiles(ImportExportMixin):
    """Import and export for the list of Tokens."""

    resource_classes = (TokenResource,)
    import_form_class = ImportForm
    export_form_class = ExportForm
    import_template_name = "ocpi/admin/token_import.html"
    import_formats = export_formats = (CsvFile, XlsxFile)
    tmp_storage_class = Uploads
    to_encoding = "utf-8-sig"  # or Excel takes a CSV for something else

    def has_import_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perms(["ocpi.add_token", "ocpi.change_token"])

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("ocpi.view_token")

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """The form, or the preview; what can be stored may be, also when there are faulty rows."""
        try:
            return super().import_action(request, **kwargs)  # type: ignore[no-any-return]
        except Unreadable as error:
            return self._not_imported(request, str(error))

    def get_import_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {"most_bytes": filesizeformat(settings.NODE_MAX_BODY), "most_rows": f"{MOST_ROWS:,}"}

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            return super().process_import(request, **kwargs)  # type: ignore[no-any-return]
        except Gone:
            return self._not_imported(request, "The uploaded file is here no longer: upload it again.")
        except Unreadable as error:
            return self._not_imported(request, str(error))

    def add_data_read_fail_error_to_form(self, form: Any, e: Exception) -> None:
        if isinstance(e, Unreadable):
            form.add_error("import_file", str(e))
        else:
            super().add_data_read_fail_error_to_form(form, e)

    def generate_log_entries(self, result: Result, request: HttpRequest) -> None:
        """The resource has written them, together with the Tokens."""

    def add_success_message(self, result: Any, request: HttpRequest) -> None:
        totals = result.totals
        told = f"Imported: {totals['new']} new, {totals['update']} updated, {totals['skip']} unchanged."
        self.message_user(request, told, messages.SUCCESS)
        if faulty := [str(row.number) for row in result.read if row.faults]:
            named = shorten(", ".join(faulty))
            self.message_user(request, f"Left out, being faulty: {len(faulty)} (rows {named}).", messages.WARNING)

    def _not_imported(self, request: HttpRequest, why: str) -> HttpResponse:
        self.message_user(request, why, messages.ERROR)
        return redirect("admin:ocpi_token_import")


def report(result: Any) -> dict[str, Any]:
    """What a preview shows: how many of what, every fault with its place, and every change."""
    totals = result.totals
    due = totals["new"] + totals["update"]
    faults = [
        (row.number, column, shorten(str(row.cells.get(column) or ""), 40), message)
        for row in result.read
        for column, found in row.faults.items()
        for message in found
    ]
    changes = [
        (row.number, "new" if row.stored is None else "changed", row.key[0], row.values["uid"], _told(row))
        for row in result.read
        if row.outcome in ("new", "update")
    ]
    return {
        "due": due,
        "left_out": totals["invalid"],
        "new": f"{totals['new']} new",
        "updated": f"{totals['update']} updated",
        "unchanged": f"{totals['skip']} unchanged",
        "faulty": f"{totals['invalid']} faulty",
        "button": f"Import {due} and leave out {totals['invalid']}" if totals["invalid"] else f"Import {due}",
        "faults": table(("Row", "Column", "Value", "What is wrong"), faults[:SHOWN]) if faults else "",
        "more_faults": max(0, len(faults) - SHOWN),
        "changes": table(("Row", "Token", "Party", "Uid", "Values"), changes[:SHOWN]) if changes else "",
        "more_changes": max(0, len(changes) - SHOWN),
    }


def _told(row: Row) -> str:
    """Of a new Token its values, of another what it says from then on."""
    told = {name: (cells.shown(old), cells.shown(new)) for name, (old, new) in row.changes.items()}
    if row.stored is None:
        return ", ".join(f"{name} {new}" for name, (_, new) in told.items() if name not in ("uid", "party") and new)
    return ", ".join(f"{name} {old or 'nothing'} → {new or 'nothing'}" for name, (old, new) in told.items())


def _log(user_id: int, written: Sequence[tuple[Row, Token]], file_name: str) -> None:
    content_type = ContentType.objects.get_for_model(Token)
    LogEntry.objects.bulk_create(
        LogEntry(
            user_id=user_id,
            content_type=content_type,
            object_id=str(token.pk),
            object_repr=str(token)[:200],
            action_flag=ADDITION if row.stored is None else CHANGE,
            change_message=f"Imported from {file_name}: {_told(row)}",
        )
        for row, token in written
    )
