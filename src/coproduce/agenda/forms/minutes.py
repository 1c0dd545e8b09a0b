"""What is asked about what came of a meeting."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coproduce.agenda import inviting
from coproduce.agenda.actions.minutes import OPEN_FOR
from coproduce.agenda.models import Item, Meeting, Minutes, Stage
from coproduce.people.forms import ActionForm, DateField
from coproduce.people.models import Person


def _items(meeting: Meeting) -> forms.ModelChoiceField:
    return forms.ModelChoiceField(
        meeting.items.select_related("topic"),
        label=_("What is it about?"),
        required=False,
        empty_label=_("Nothing on the agenda"),
    )


class AgreeForm(ActionForm):
    words = forms.CharField(
        label=_("What did we agree?"),
        help_text=_("One thing, in the group’s own words. On a topic, everybody can read it."),
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Write what we agreed.")},
    )
    stage = forms.ChoiceField(
        label=_("Where does the topic stand now?"),
        choices=[
            ("", _("As before")),
            (Stage.WORKING, _("We are working on it")),
            (Stage.DECIDED, _("We have decided")),
            (Stage.PUT_ASIDE, _("We put it aside, and say why")),
        ],
        widget=forms.RadioSelect,
        required=False,
    )

    def __init__(self, meeting: Meeting, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["item"] = _items(meeting)
        self.order_fields(["item", "words", "stage"])


class WhoDoesWhatForm(ActionForm):
    words = forms.CharField(
        label=_("What has to be done?"),
        max_length=300,
        error_messages={"required": _("Write what has to be done.")},
    )
    owner = forms.ModelChoiceField(Person.objects.none(), label=_("Who does it?"), empty_label=_("Choose"))
    by_day = DateField(label=_("By which day?"), help_text=_("They are reminded three days before."))

    def __init__(self, by: Person, meeting: Meeting, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = inviting.members_of(meeting).filter(known_through=None) | Person.objects.filter(pk=by.pk)
        self.fields["owner"].queryset = known.order_by("name", "pk")  # type: ignore[attr-defined]
        self.fields["by_day"].initial = max(meeting.on, timezone.localdate()) + dt.timedelta(days=14)
        self.fields["item"] = _items(meeting)


class WriteMinutesForm(ActionForm):
    """In short, and what was talked about, item by item."""

    words = forms.CharField(
        label=_("The meeting in a few sentences"), required=False, widget=forms.Textarea(attrs={"rows": 4})
    )

    def __init__(self, minutes: Minutes, items: list[Item], *args: Any, **kwargs: Any) -> None:
        initial = {"words": minutes.words} | {f"item-{item.pk}": item.talked for item in items}
        kwargs["initial"] = initial
        super().__init__(*args, **kwargs)
        for item in items:
            self.fields[f"item-{item.pk}"] = forms.CharField(
                label=str(item), required=False, widget=forms.Textarea(attrs={"rows": 3})
            )

    @property
    def talked(self) -> dict[int, str]:
        return {
            int(name.removeprefix("item-")): words
            for name, words in self.cleaned_data.items()
            if name.startswith("item-")
        }


def open_until() -> dt.date:
    return timezone.localdate() + dt.timedelta(days=OPEN_FOR)


class OpenForm(ActionForm):
    until = DateField(
        label=_("Until which day can people put them right?"),
        help_text=_("Then the minutes stand."),
        initial=open_until,
    )


class CorrectForm(ActionForm):
    words = forms.CharField(
        label=_("What is not right, and how was it?"),
        help_text=_("The group reads this, without your name."),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Write what is not right, and how it was.")},
    )


class SettleForm(ActionForm):
    taken = forms.TypedChoiceField(
        label=_("What do you do?"),
        choices=[
            ("yes", _("Take it: I change the minutes")),
            ("no", _("Leave the minutes as they are, and say why")),
        ],
        coerce=lambda said: said == "yes",
        widget=forms.RadioSelect,
    )
    answer = forms.CharField(
        label=_("Your answer"),
        help_text=_("The group reads this."),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
