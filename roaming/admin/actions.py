"""What staff do with partners. Every step is a page that asks (GET) and then does (POST, guarded against forgery).

A handshake is network traffic of many seconds: these views run outside any transaction. A token is shown once, in the
answer to the POST that made it; it never enters messages, the session or the log of changes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.enums import ActionVariant

from roaming import probing, registration
from roaming.admin.forms import ConnectForm, InviteForm
from roaming.admin.work import NotStarted, pull_now, resume
from roaming.models import Platform
from roaming.registration import HandshakeFailed

State = Platform.State


@dataclass(frozen=True, slots=True)
class Question:
    """What staff confirm, and in which states of a platform it makes sense."""

    title: str
    text: str
    states: tuple[Platform.State, ...] = (State.CONNECTED,)
    danger: bool = False


QUESTIONS = {
    "pull": Question("Pull now", "Pull what changed at this platform since the last complete run."),
    "resync": Question(
        "Full resync",
        "Pull everything this platform offers, changed or not. This may take minutes for a large partner.",
    ),
    "accept": Question(
        "Full resync, accept disappearance",
        "Pull everything this platform offers, and believe what its lists do not have any more: it is removed, however "
        "much it is and whatever grace it has left. Modules whose schedule says “keep” lose nothing.",
        danger=True,
    ),
    "resume": Question("Resume lanes now", "End the pause after a failure and send what is waiting, at once."),
    "probe": Question(
        "Probe now",
        "Ask the platform for its versions. An answer ends OFFLINE, and what waits is sent; without one it is OFFLINE.",
    ),
    "renew": Question(
        "Renew tokens",
        "Exchange the tokens of both directions by PUT and read the platform's parties and endpoints again. "
        "The old token of the platform stays valid until it uses the new one, or the grace period ends.",
    ),
    "reinvite": Question(
        "Invite again",
        "Make a new one-time token for this platform. A token given to it before is worthless from then on.",
        states=(State.PLANNED, State.SUSPENDED),
    ),
    "suspend": Question(
        "Unregister",
        "Tell the platform by DELETE that the connection ends, then end it here, whatever it answers: all tokens and "
        "endpoints are forgotten. What it sent stays. To connect again, a new handshake is needed.",
        danger=True,
    ),
}


View = TypeVar("View", bound=Callable[..., HttpResponse])


def step(title: str, icon: str, variant: ActionVariant = ActionVariant.DEFAULT) -> Callable[[View], View]:
    """An action for those who may change platforms."""
    decorate: Callable[[View], View] = action(description=title, permissions=["change"], icon=icon, variant=variant)
    return decorate


class PlatformActions(ModelAdmin):
    """The steps of the handshake and the wake-ups, as actions of the list and of one platform."""

    actions_list = ("invite", "connect")
    actions_detail = (
        {"title": "Exchange now", "icon": "sync", "items": ["pull", "resync", "accept", "resume", "probe"]},
        "renew",
        "reinvite",
        "suspend",
    )

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only what fits the state of the platform."""
        platform = self.get_object(request, str(object_id))
        prefix = f"{self.opts.app_label}_{self.opts.model_name}_"
        return [
            offered
            for offered in super().get_actions_detail(request, object_id)
            if platform and platform.state in QUESTIONS[offered.action_name.removeprefix(prefix)].states
        ]

    @step("Invite a platform", "mail", ActionVariant.PRIMARY)
    def invite(self, request: HttpRequest) -> HttpResponse:
        form = InviteForm(request.POST or None)
        if form.is_valid():
            return self._invited(request, form.cleaned_data["name"])
        text = "The partner registers with us, using a one-time token that you hand over."
        return self._page(request, "Invite a platform", text, form=form, button="Invite")

    @step("Connect to a platform", "cable")
    @method_decorator(sensitive_post_parameters("token"))
    def connect(self, request: HttpRequest) -> HttpResponse:
        form = ConnectForm(request.POST or None)
        if form.is_valid():
            try:
                platform = registration.connect(**form.cleaned_data)
            except HandshakeFailed as error:
                form.add_error(None, f"The handshake failed: {error}")
            else:
                return self._connected(request, platform)
        text = "We register with a partner that has invited us. The partner calls back while it answers."
        return self._page(request, "Connect to a platform", text, form=form, button="Connect")

    @step(QUESTIONS["pull"].title, "download")
    def pull(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._confirmed(request, object_id, "pull", lambda platform: pull_now(platform, full=False))

    @step(QUESTIONS["resync"].title, "sync")
    def resync(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._confirmed(request, object_id, "resync", lambda platform: pull_now(platform, full=True))

    @step(QUESTIONS["accept"].title, "delete_sweep")
    def accept(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(platform: Platform) -> str:
            return pull_now(platform, full=True, accept=True)

        return self._confirmed(request, object_id, "accept", do)

    @step(QUESTIONS["resume"].title, "resume")
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._confirmed(
            request, object_id, "resume", lambda platform: resume(Platform.objects.filter(pk=platform.pk))
        )

    @step(QUESTIONS["probe"].title, "network_ping")
    def probe(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(platform: Platform) -> str:
            if trouble := probing.probe(platform):
                raise NotStarted(f"{platform} is OFFLINE: {trouble}")
            return f"{platform} is there."

        return self._confirmed(request, object_id, "probe", do)

    @step(QUESTIONS["renew"].title, "key")
    def renew(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(platform: Platform) -> str:
            registration.renew(platform)
            return "The tokens of both directions are renewed."

        return self._confirmed(request, object_id, "renew", do)

    @step(QUESTIONS["suspend"].title, "link_off", ActionVariant.DANGER)
    def suspend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(platform: Platform) -> str:
            registration.disconnect(platform)
            return "The platform was told; the connection has ended."

        return self._confirmed(request, object_id, "suspend", do)

    @step(QUESTIONS["reinvite"].title, "mail")
    def reinvite(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._confirmed(request, object_id, "reinvite", lambda platform: self._invited(request, platform.name))

    # --- how every step looks ---

    def _confirmed(
        self, request: HttpRequest, object_id: str, name: str, do: Callable[[Platform], str | HttpResponse]
    ) -> HttpResponse:
        """Ask, do, tell and log; `do` returns what to tell, or an answer of its own."""
        question = QUESTIONS[name]
        platform = self.get_object(request, object_id)
        if platform is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        if platform.state not in question.states:
            self.message_user(request, f"{platform} is {platform.get_state_display()}.", messages.WARNING)
        elif request.method != "POST":
            return self._page(request, question.title, question.text, platform=platform, danger=question.danger)
        else:
            try:
                told = do(platform)
                level = messages.SUCCESS
            except (HandshakeFailed, NotStarted) as error:
                told, level = f"{question.title}: {error}", messages.WARNING
            if isinstance(told, HttpResponse):
                return told
            self.log_change(request, platform, told)
            self.message_user(request, told, level)
        return redirect("admin:roaming_platform_change", platform.pk)

    @sensitive_variables("token")
    def _invited(self, request: HttpRequest, name: str) -> HttpResponse:
        try:
            token = registration.invite(name)
        except ValueError as error:  # connected meanwhile
            self.message_user(request, str(error), messages.WARNING)
            return redirect("admin:roaming_platform_changelist")
        platform = Platform.objects.get(name=name)
        self.log_change(request, platform, "Invited.")
        context = {"token": token, "versions_url": registration.own_versions_url(), "platform": platform}
        return self._render(request, "invitation", f"{name} is invited", **context)

    def _connected(self, request: HttpRequest, platform: Platform) -> HttpResponse:
        parties = ", ".join(str(party) for party in platform.parties.order_by("party", "role"))
        endpoints = ", ".join(str(endpoint) for endpoint in platform.endpoints.order_by("module", "role"))
        self.log_change(request, platform, "Connected.")
        self.message_user(request, f"Connected to {platform}. Parties: {parties}. Endpoints: {endpoints}.")
        return redirect("admin:roaming_platform_change", platform.pk)

    def _page(
        self,
        request: HttpRequest,
        title: str,
        text: str,
        *,
        form: forms.Form | None = None,
        platform: Platform | None = None,
        button: str = "",
        danger: bool = False,
    ) -> HttpResponse:
        context = {"text": text, "form": form, "platform": platform, "button": button or title, "danger": danger}
        return self._render(request, "step", f"{title}: {platform}" if platform else title, **context)

    def _render(self, request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        return TemplateResponse(request, f"roaming/admin/{template}.html", shared | context)
