"""The admin of libraries' models, in the look of everything else."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import IntervalSchedule, PeriodicTask

pytestmark = pytest.mark.django_db

MODELS = (
    "auth_user",
    "auth_group",
    "django_celery_beat_periodictask",
    "django_celery_beat_intervalschedule",
    "django_celery_beat_crontabschedule",
    "django_celery_beat_clockedschedule",
    "django_celery_beat_solarschedule",
)


@pytest.mark.parametrize("model", MODELS)
def test_lists_and_forms_open(admin_client: Client, model: str) -> None:
    for what in ("changelist", "add"):
        assert admin_client.get(reverse(f"admin:{model}_{what}")).status_code == 200


def test_staff_change_a_schedule(admin_client: Client) -> None:
    interval = IntervalSchedule.objects.create(every=30, period=IntervalSchedule.SECONDS)
    job = PeriodicTask.objects.create(name="pull", task="roaming.tasks.pull_due", interval=interval)
    url = reverse("admin:django_celery_beat_periodictask_change", args=[job.pk])
    assert "roaming.tasks.pull_platform" in admin_client.get(url).content.decode()
    form = {"name": "pull", "regtask": "roaming.tasks.pull_due", "interval": interval.pk, "args": "[]", "kwargs": "{}"}
    assert admin_client.post(url, {**form, "headers": "{}"}).status_code == 302
    job.refresh_from_db()
    assert not job.enabled  # the box was not ticked


def test_a_password_is_set_in_the_admin(admin_client: Client, admin_user: User) -> None:
    url = reverse("admin:auth_user_password_change", args=[admin_user.pk])
    assert admin_client.get(url).status_code == 200
    form: dict[str, Any] = {"password1": "charging-at-noon", "password2": "charging-at-noon", "usable_password": "true"}
    assert admin_client.post(url, form).status_code == 302
    admin_user.refresh_from_db()
    assert admin_user.check_password("charging-at-noon")


def test_the_sidebar_leads_to_pages_that_exist(admin_client: Client) -> None:
    groups = admin_client.get(reverse("admin:index")).context["sidebar_navigation"]
    links = [item["link"] for group in groups for item in group["items"]]
    assert len(links) > 10
    assert {admin_client.get(str(link)).status_code for link in links} == {200}
