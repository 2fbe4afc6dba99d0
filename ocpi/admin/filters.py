"""Filters for lists of millions of rows: what can be chosen is known beforehand, never searched for in the table."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ocpi.models import ObjectCount


class OwnerFilter(admin.SimpleListFilter):
    """The owners come from the counters."""

    title = "owner"
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        counted = ObjectCount.objects.filter(module=model_admin.model.module.value, count__gt=0).order_by("owner")
        return [(row.owner, f"{row.owner} ({row.count})") for row in counted]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(owner=self.value()) if self.value() else queryset


class DefectsFilter(admin.SimpleListFilter):
    title = "defects"
    parameter_name = "defects"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("some", "with defects"), ("none", "without defects")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "some":
                return queryset.exclude(defects="")
            case "none":
                return queryset.filter(defects="")
        return queryset


def values_of(column: str, values: Iterable[str]) -> type[admin.SimpleListFilter]:
    """A filter by a column that holds one of these values of an enum, as a rule."""

    class ValueFilter(admin.SimpleListFilter):
        title = column
        parameter_name = column

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(str(value), str(value)) for value in values]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            return queryset.filter(**{column: self.value()}) if self.value() else queryset

    return ValueFilter
