"""The Celery application. Tasks carry ids and re-read state; losing every queued task loses nothing."""

import os

from celery import Celery
from celery.signals import worker_ready
from kombu.transport.virtual import Channel

from config import memory

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# To give tasks back needs the broker, and where that has just gone the attempt ends the worker (celery 5.7.0).
Channel.do_restore = False

app = Celery("node")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def _settle(**_: object) -> None:
    memory.settle()
