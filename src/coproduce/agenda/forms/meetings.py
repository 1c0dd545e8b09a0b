"""What is asked when a meeting is planned, its agenda made, and people say what they need."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from coproduce.agenda.actions.meetings import Plan
from coproduce.agenda.models import Attendance, Item, Meeting
from coproduce.people.forms import ActionForm, DateField, hubs_to_choose
from coproduce.people.models import Hub, Person
from coproduce.people.sensitive import sensitive_words


def _time(label: Any) -> forms.TimeField:
    return forms.TimeField(
        label=label,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"invalid": _("Write the time like 10:30.")},
    )


def _box(label: Any, help_text: Any, rows: int = 3) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


class MeetingForm(ActionForm):
    """When, where, and what makes it easy to come."""

    on = DateField(label=_("Which day?"))
    starts = _time(_("When does it begin?"))
    ends = _time(_("When does it end?"))
    name = forms.CharField(
        label=_("What do you call it?"), help_text=_("Like “Summer meeting”."), max_length=120, required=False
    )
    place = forms.CharField(label=_("Where?"), max_length=200, required=False)
    getting_there = _box(
        _("How do people get there?"), _("The bus and its stop, the door, the floor, who meets them.")
    )
    from_afar = _box(
        _("How can people join from afar?"), _("The number to ring, or the link. They need no account here.")
    )
    lunch = forms.CharField(
        label=_("What is there to eat and drink?"),
        help_text=_("Like “Soup at noon, also without meat”."),
        max_length=200,
        required=False,
    )
    access = _box(
        _("What makes it easier to come?"),
        _("Like a ramp, a hearing loop, a quiet room, a place for a dog, fares paid on the day."),
    )
    outside = forms.ChoiceField(
        label=_("What may people outside the group see?"),
        help_text=_("Where people meet can give them away. The group always sees everything."),
        choices=[(value, capfirst(label)) for value, label in Meeting.Outside.choices],
        widget=forms.RadioSelect,
        initial=Meeting.Outside.NOTHING,
    )

    def __init__(self, by: Person, *args: Any, hub: Hub | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.hub = hub
        if hub is None:
            self.fields["hub"] = hubs_to_choose(by, "lead a meeting")
            self.order_fields(["hub"])

    def clean(self) -> dict[str, Any]:
        on = self.cleaned_data.get("on")
        if on and self.hub is None and on < timezone.localdate():
            self.add_error("on", ValidationError(_("That day is past. Write a day to come."), code="day"))
        return self.cleaned_data

    @property
    def plan(self) -> Plan:
        said = dict(self.cleaned_data)
        said.pop("hub", None)
        on, starts, ends = said.pop("on"), said.pop("starts"), said.pop("ends")
        return Plan(starts_at=_moment(on, starts), ends_at=_moment(on, ends), **said)

    @property
    def gives_away(self) -> list[str]:
        """Words of the place that a calendar does not show: a phone may be shared."""
        return sensitive_words(self["place"].value() or "")


def _moment(on: dt.date, at: dt.time) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(on, at))


def planned(meeting: Meeting) -> dict[str, Any]:
    """What a meeting is, as MeetingForm asks it."""
    names = ("name", "place", "getting_there", "from_afar", "lunch", "access", "outside")
    return {
        "on": meeting.on,
        "starts": meeting.begins,
        "ends": meeting.ends,
        **{name: getattr(meeting, name) for name in names},
    }


class CallOffForm(ActionForm):
    why = forms.CharField(
        label=_("Why?"),
        help_text=_("A sentence for the people who wanted to come. Name nobody."),
        max_length=200,
        required=False,
    )


class ElseForm(ActionForm):
    """Something on the agenda that is no topic of the group."""

    title = forms.CharField(
        label=_("What is it about?"),
        max_length=200,
        error_messages={"required": _("Write what it is about.")},
    )
    kind = forms.ChoiceField(
        label=_("What is it?"),
        choices=[
            (Item.Kind.FIVE_MINUTES, _("Five minutes that a service asked for")),
            (Item.Kind.OTHER, _("Something of ours, like lunch")),
        ],
        widget=forms.RadioSelect,
        initial=Item.Kind.OTHER,
    )
    minutes = forms.IntegerField(
        label=_("How many minutes?"),
        help_text=_("For a service it is five, whatever you write."),
        min_value=1,
        max_value=600,
        initial=15,
    )


class MinutesOfItemForm(ActionForm):
    minutes = forms.IntegerField(label=_("How many minutes?"), min_value=1, max_value=600)


class NeedsForm(ActionForm):
    needs = forms.CharField(
        label=_("What do you need so that you can take part?"),
        help_text=_("Like a seat near the door, large print, or somebody to come with you."),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class OthersForm(ActionForm):
    number = forms.IntegerField(
        label=_("How many came whom you don’t know?"), min_value=0, max_value=9_999, initial=0
    )


HOW = [
    (Attendance.How.CAME, _("Here")),
    (Attendance.How.PHONE, _("By phone")),
    (Attendance.How.NOTE, _("Sent a note")),
]


def how_said(how: str) -> str:
    """How somebody took part, in a word; "" for nothing."""
    return next((str(label) for value, label in HOW if value == how), "") or (
        _t("Not there") if not how else ""
    )
