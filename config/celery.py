"""The Celery application. Tasks carry ids and re-read state; losing every queued task loses nothing."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("node")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
