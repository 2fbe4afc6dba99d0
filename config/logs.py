"""Structured logs: one JSON object a line (or readable lines on a terminal), each with the correlation id.

`structlog.contextvars` carries `correlation_id` and `request_id` from the request (ocpi/api/middleware.py) or the
task into every line. Credentials tokens never reach a log: nothing logs headers or bodies, and `redact` removes the
`Authorization` value should a library ever print one.
"""

import logging
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

_AUTHORIZATION = re.compile(r"(?i)(authorization['\"]?\s*[:=]\s*['\"]?)(token|basic|bearer)\s+[^\s'\",]+")


def redact(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the credentials of any `Authorization` header that found its way into a message."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = _AUTHORIZATION.sub(r"\1\2 ***", value)
    return event


def is_news(record: logging.LogRecord) -> bool:
    """Not what uvicorn says of every websocket that was refused with a status: a charger tries again for ever."""
    return not str(record.msg).startswith("ASGI callable returned without completing handshake")


def logging_config(level: str, style: str) -> dict[str, Any]:
    """The `LOGGING` setting: one stderr handler, structlog's formatter for our loggers and everybody else's."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
                "foreign_pre_chain": shared,
            }
        },
        "filters": {"news": {"()": lambda: is_news}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured", "filters": ["news"]}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "celery": {"level": "WARNING"},
            "django.request": {"level": "ERROR"},
            "httpx": {"level": "WARNING"},
            "axes": {"level": "WARNING"},
        },
    }
