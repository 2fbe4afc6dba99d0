"""Bar charts in the look of the admin; what they show stands in a table beside them, too."""

from collections.abc import Sequence
from decimal import Decimal

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ocpi.types import codec

_OPTIONS = {
    "responsive": True,
    "maintainAspectRatio": False,
    "plugins": {"legend": {"display": True, "align": "end"}},
    "scales": {"x": {"grid": {"display": False}}, "y": {"beginAtZero": True}},
}
_MORE, _LESS = "#2563eb", "#d97706"


def bars(name: str, labels: Sequence[str], values: Sequence[Decimal | int]) -> SafeString:
    """A bar for each value, in another colour where it is negative."""
    colours = [_LESS if value < 0 else _MORE for value in values]
    series = {"label": name, "data": list(values), "backgroundColor": colours}
    context = {
        "data": codec.encode_text({"labels": list(labels), "datasets": [series]}),
        "options": codec.encode_text(_OPTIONS),
    }
    return format_html(
        '<div class="node-chart">{}</div>', render_to_string("unfold/components/chart/bar.html", context)
    )
