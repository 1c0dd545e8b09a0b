"""What is asked of a stranger, and what becomes of what they sent."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from coproduce.people.forms import ActionForm
from coproduce.people.models import Hub, Person
from coproduce.voices.forms.fields import OneOf, UsesForm
from coproduce.voices.models import Incoming, Use, who_may_be_named


class HaveYourSayForm(UsesForm):
    """For anybody, with no account."""

    words = forms.CharField(
        label=_("What do you want to say?"),
        help_text=_("In your own words. It does not have to be tidy."),
        max_length=Incoming.MOST,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": _("Write what you want to say.")},
    )
    hub = forms.ModelChoiceField(
        label=_("Who should hear it?"), queryset=Hub.objects.all(), empty_label=_("Choose")
    )
    name = forms.CharField(
        label=_("What do you like to be called?"),
        help_text=_("Any name you like. You can leave it empty."),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "nickname"}),
    )
    way = forms.CharField(
        label=_("How can we reach you?"),
        help_text=_(
            "Only if you want to hear what happens. An email, a phone number, or a place where people find you."
        ),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    website = forms.CharField(  # nobody sees it; machines fill it in
        label=_("Leave this empty"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )
    altcha = forms.CharField(required=False, max_length=4000, widget=forms.HiddenInput)
    field_order = ["words", "hub", "name", "way", *Use.values]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["group"].help_text = _(
            "People who take part here see your words, and what you are called."
        )
        self.fields["public"].help_text = _(
            "They can be on our web pages and in reports. Anybody can copy them."
        )
        hubs = list(Hub.objects.all()[:2])
        self.only_hub = hubs[0] if len(hubs) == 1 else None
        if self.only_hub:
            del self.fields["hub"]

    @property
    def chosen_hub(self) -> Hub:
        return self.only_hub or self.cleaned_data["hub"]


class TakeInForm(ActionForm):
    """Who said it, if it is somebody the hub knows already."""

    person = OneOf(
        label=_("Is this somebody we know?"),
        queryset=Person.objects.none(),
        empty_label=_("No, or we can’t tell"),
    )

    def __init__(self, by: Person, incoming: Incoming, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = who_may_be_named(by, incoming.hub)  # type: ignore[attr-defined]


class PutAsideForm(ActionForm):
    reason = forms.CharField(
        label=_("Why?"), help_text=_("Like “Sent by a machine” or “Here twice”."), max_length=200
    )
