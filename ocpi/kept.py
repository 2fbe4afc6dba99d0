"""Settings for code that every message goes through.

To ask `django.conf.settings` is a call of its own each time; `kept` looks a setting up once, and again after it has
been changed, as tests do.
"""

from typing import Any

from django.conf import settings
from django.core.signals import setting_changed


class _Kept:
    def __getattr__(self, name: str) -> Any:
        value = self.__dict__[name] = getattr(settings, name)
        return value


kept = _Kept()


def _forget(*, setting: str, **_: object) -> None:
    kept.__dict__.pop(setting, None)


setting_changed.connect(_forget)
