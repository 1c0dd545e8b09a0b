"""What is asked of a service that wants something from the group, and of the group when it answers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from coproduce.agenda.models import Answer
from coproduce.people.forms import ActionForm, DateField
from coproduce.people.models import Hub

LONGEST = 2000  # characters: the group reads this aloud
FEW_LINES = forms.Textarea(attrs={"rows": 3})


class AskForm(ActionForm):
    """For any service, with no account."""

    hub = forms.ModelChoiceField(
        Hub.objects.all(), label=_("Which group do you ask?"), empty_label=_("Choose")
    )
    organisation = forms.CharField(
        label=_("Who are you?"), help_text=_("Your service or organisation."), max_length=160
    )
    wants = forms.CharField(
        label=_("What do you want from the group?"),
        help_text=_("One short sentence, like “Try our new letter with us”."),
        max_length=200,
    )
    why = forms.CharField(label=_("Why?"), max_length=LONGEST, widget=FEW_LINES)
    by_when = DateField(label=_("By when do you need to know?"), required=False)
    decided = forms.CharField(
        label=_("What have you decided already?"),
        help_text=_("Say so if nothing can change any more. If all is open, say that."),
        max_length=LONGEST,
        widget=FEW_LINES,
    )
    pays = forms.CharField(
        label=_("What do you pay for people’s time?"),
        help_text=_("Money for each person and hour, fares, food. If nothing, say so."),
        max_length=LONGEST,
        widget=FEW_LINES,
    )
    will_do = forms.CharField(
        label=_("What will you do with the answer?"),
        help_text=_("Who decides, when, and how people hear what came of it."),
        max_length=LONGEST,
        widget=FEW_LINES,
    )
    name = forms.CharField(
        label=_("What is your name?"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(
        label=_("What is your email address?"),
        help_text=_("We send a link there. Nobody in the group sees this before you open it."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    website = forms.CharField(  # nobody sees it; machines fill it in
        label=_("Leave this empty"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )
    altcha = forms.CharField(required=False, max_length=4000, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hubs = list(Hub.objects.all()[:2])
        self.only_hub = hubs[0] if len(hubs) == 1 else None
        if self.only_hub:
            del self.fields["hub"]

    @property
    def asked(self) -> dict[str, Any]:
        """What was written, for the action."""
        given = {
            name: value for name, value in self.cleaned_data.items() if name not in ("website", "altcha")
        }
        return {"hub": self.only_hub} | given


class AnswerForm(ActionForm):
    answer = forms.ChoiceField(
        label=_("What does the group say?"),
        choices=[
            (Answer.TAKE_IT_ON, _("We take it on: it becomes a topic of ours")),
            (Answer.FIVE_MINUTES, _("Five minutes: they may speak at our next meeting")),
            (Answer.NOT_FOR_US, _("Not for us")),
        ],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Why? In the group’s own words"),
        help_text=_("They read this, to the letter. Thank them, if you like."),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
