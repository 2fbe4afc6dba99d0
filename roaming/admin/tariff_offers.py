"""Which Tariffs an agreement offers: lines on its page."""

from typing import Any

from django import forms
from unfold.admin import TabularInline

from ocpi.ids import PartyId
from roaming.agreement_models import TariffOffer


class _Offers(forms.BaseInlineFormSet):
    def clean(self) -> None:
        """The owner of a Tariff is one of the two parties."""
        super().clean()
        parties = (self.instance.party_a, self.instance.party_b)
        for form in self.forms:
            owner = form.cleaned_data.get("owner") if form.is_valid() else None
            if owner and owner not in parties and not form.cleaned_data.get("DELETE"):
                form.add_error("owner", f"Neither {' nor '.join(map(str, parties))}.")


class _OfferForm(forms.ModelForm):
    class Meta:
        model = TariffOffer
        fields = ("owner", "tariff_id", "is_offered")

    def clean_owner(self) -> PartyId:
        try:
            return PartyId.parse(self.cleaned_data["owner"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


class TariffOffersInline(TabularInline):
    """A Tariff that stands in any agreement is for the partners of those agreements alone."""

    model: Any = TariffOffer
    form = _OfferForm
    formset = _Offers
    extra = 0
    verbose_name_plural = "Tariffs for this partner only"
