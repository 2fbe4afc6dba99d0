"""The admin as a whole: its first page, and the models of libraries in the look of everything else."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django_celery_beat import admin as beat_admin
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

admin.site.index_template = "node/dashboard.html"
for model in (User, Group, PeriodicTask, ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule):
    admin.site.unregister(model)


@admin.register(User)
class StaffAdmin(UserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    compressed_fields = False  # two boxes to choose permissions from do not fit beside their label


@admin.register(Group)
class StaffGroupAdmin(GroupAdmin, ModelAdmin):
    compressed_fields = False


class TaskSelect(UnfoldAdminSelectWidget, beat_admin.TaskSelectWidget):
    """The registered tasks to choose from, in the look of the admin."""


class JobForm(beat_admin.PeriodicTaskForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Here, for a field copies its widget at once, and this one would import every task while apps still load.
        self.fields["regtask"].widget = TaskSelect()
        self.fields["task"].widget = UnfoldAdminTextInputWidget()


@admin.register(PeriodicTask)
class JobAdmin(beat_admin.PeriodicTaskAdmin, ModelAdmin):
    form = JobForm


class JobInline(beat_admin.PeriodicTaskInline, TabularInline):
    tab = True


@admin.register(ClockedSchedule)
class ClockedAdmin(beat_admin.ClockedScheduleAdmin, ModelAdmin):
    inlines = [JobInline]


@admin.register(CrontabSchedule)
class CrontabAdmin(beat_admin.CrontabScheduleAdmin, ModelAdmin):
    inlines = [JobInline]


@admin.register(IntervalSchedule)
class IntervalAdmin(beat_admin.IntervalScheduleAdmin, ModelAdmin):
    inlines = [JobInline]


@admin.register(SolarSchedule)
class SolarAdmin(beat_admin.SolarScheduleAdmin, ModelAdmin):
    inlines = [JobInline]
