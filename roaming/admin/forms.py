"""What staff fill in: whom to invite, whom to connect to, and our own parties."""

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldAdminURLInputWidget,
)

from ocpi.ids import PartyId
from ocpi.v221.common import Role
from roaming.models import Party, Platform


class InviteForm(forms.Form):
    name = forms.CharField(
        max_length=100, widget=UnfoldAdminTextInputWidget(), help_text="What we call the partner's platform"
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if Platform.objects.filter(name=name).exists():
            raise forms.ValidationError("This platform exists; open it to invite it again.")
        return name


class ConnectForm(forms.Form):
    name = forms.CharField(
        max_length=100,
        widget=UnfoldAdminTextInputWidget(),
        help_text="What we call the partner's platform; an invited or suspended one may be named",
    )
    versions_url = forms.CharField(
        label="Versions URL",
        max_length=255,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "url"}),
        help_text="The partner's versions endpoint, as the partner gave it to you",
    )
    token = forms.CharField(
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
        help_text="CREDENTIALS_TOKEN_A, the token the partner gave you. It is used once and not kept.",
    )


class PartyForm(forms.ModelForm):
    """One of our own parties; once it exists, its identity and role stay."""

    role = forms.ChoiceField(choices=[(role.value, role.value) for role in Role], widget=UnfoldAdminSelectWidget())
    website = forms.URLField(required=False, max_length=255, assume_scheme="https", widget=UnfoldAdminURLInputWidget())

    class Meta:
        model = Party
        fields = ("party", "role", "name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["website"].initial = (self.instance.business_details or {}).get("website")

    def clean_party(self) -> str:
        try:
            party = PartyId.parse(self.cleaned_data["party"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None
        holder = Party.objects.filter(party=party).exclude(platform=None).select_related("platform").first()
        if holder is not None:
            raise forms.ValidationError(f"{party} is a party of {holder.platform}.")
        return party

    def clean_role(self) -> str:
        role: str = self.cleaned_data["role"]
        if role == Role.HUB and Party.objects.filter(platform=None, role=role).exists():
            raise forms.ValidationError("This node has a HUB party; a node is one hub at most.")
        return role

    def save(self, commit: bool = True) -> Party:
        website = {"website": self.cleaned_data["website"]} if self.cleaned_data["website"] else {}
        kept = {name: value for name, value in self.instance.business_details.items() if name != "website"}
        self.instance.business_details = kept | {"name": self.instance.name} | website
        return super().save(commit)  # type: ignore[no-any-return]
