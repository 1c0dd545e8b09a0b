"""What is asked to say something, or to write down what somebody said; and to find it again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from coproduce.people.forms import DateField
from coproduce.people.models import Hub, Person
from coproduce.people.permissions import hubs_where
from coproduce.voices.forms.fields import HubForm, OneOf, UsesForm
from coproduce.voices.models import Use, Voice, who_may_be_named


class FindVoicesForm(forms.Form):
    """What to look for among the voices. Whatever is strange is taken as not said."""

    q = forms.CharField(label=_("Words to look for"), required=False, max_length=200)
    hub = forms.ModelChoiceField(
        label=_("Hub"), queryset=Hub.objects.none(), required=False, empty_label=_("All hubs")
    )
    came_by = forms.ChoiceField(
        label=_("How it came"),
        choices=[("", _("Any way")), *((way, capfirst(way.label)) for way in Voice.Way)],
        required=False,
    )


class SayForm(HubForm, UsesForm):
    """Something that a person says for themselves."""

    words = forms.CharField(
        label=_("What do you want to say?"),
        help_text=_("In your own words. It does not have to be tidy."),
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": _("Write what you want to say.")},
    )
    field_order = ["words", "hub", *Use.values]


class WriteDownForm(HubForm, UsesForm):
    """Something that somebody said to us."""

    words = forms.CharField(
        label=_("What did they say?"),
        help_text=_("Their own words, not a summary."),
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": _("Write what they said.")},
    )
    person = OneOf(
        label=_("Who said it?"),
        queryset=Person.objects.none(),
        empty_label=_("Somebody we don’t know"),
    )
    came_by = forms.ChoiceField(
        label=_("How did it come?"),
        choices=[
            (way, capfirst(way.label))
            for way in (
                Voice.Way.MEETING,
                Voice.Way.NOTE,
                Voice.Way.CALL,
                Voice.Way.EMAIL,
                Voice.Way.FORM,
                Voice.Way.TRUSTED_PERSON,
            )
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose how it came.")},
    )
    said_on = DateField(label=_("When did they say it?"), initial=timezone.localdate)
    field_order = ["words", "person", "came_by", "said_on", "hub", *Use.values]

    def __init__(self, person: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(person, "add words", *args, **kwargs)
        self.by = person
        people = Person.objects.filter(pk=person.pk)
        for hub in Hub.objects.filter(pk__in=hubs_where(person, "add words")):
            people = people | who_may_be_named(person, hub)
        self.fields["person"].queryset = people  # type: ignore[attr-defined]

    def clean(self) -> None:
        person = self.cleaned_data.get("person")
        hub = self.only_hub or self.cleaned_data.get("hub")
        if person and hub and person not in who_may_be_named(self.by, hub):
            self.add_error(
                "person", _("This person is not in that hub. Choose another hub, or another person.")
            )


class WriteDownForForm(UsesForm):
    """What somebody said, written down by the person they trust."""

    words = forms.CharField(
        label=_("What did they say?"),
        help_text=_("Their own words, not a summary."),
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": _("Write what they said.")},
    )
    said_on = DateField(label=_("When did they say it?"), initial=timezone.localdate)
    hub = forms.ModelChoiceField(label=_("For which hub?"), queryset=Hub.objects.none(), empty_label=None)
    read_back = forms.BooleanField(
        label=_("I read it back to them, and they said it is right"), required=False
    )
    field_order = ["words", "said_on", "hub", *Use.values, "read_back"]

    def __init__(self, them: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if them.known_through_id:
            self.fields["group"].help_text = _("People in this hub see the words. Not who said them.")
            self.fields["public"].label = _("Anybody may read them, without the name")
        hubs = Hub.objects.filter(memberships__person=them, memberships__until__isnull=True).distinct()
        self.fields["hub"].queryset = hubs  # type: ignore[attr-defined]
        if len(hubs) == 1:
            self.fields["hub"].widget = forms.HiddenInput()
            self.fields["hub"].initial = hubs[0]
