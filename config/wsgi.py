"""Django as a WSGI application: complete but for relaying and charge points, which the front door adds."""

import os
from typing import Any

from django.conf import settings
from django.core.cache import close_caches
from django.core.handlers.base import reset_urlconf
from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, reset_queries
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class Utf8Request(WSGIRequest):
    """Text is UTF-8, whatever charset a Content-Type names.

    Django would decode the query with that charset, and fail for some where no handler of ours can answer yet.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except ValueError:
            self.content_type, self.content_params = "", {}


application = get_wsgi_application()
application.request_class = Utf8Request

# Django tidies up around each request. What it does to connections after one it need not do before the next, there is
# no log of queries to empty, one URLconf for all, and no cache that holds a connection: a fifth of a short request.
request_started.disconnect(close_old_connections)
request_finished.disconnect(reset_urlconf)
request_finished.disconnect(close_caches)
if not settings.DEBUG:
    request_started.disconnect(reset_queries)
