"""What is asked of the hub above when it takes up what several hubs raise."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from coproduce.people.forms import ActionForm


class TakeUpForm(ActionForm):
    title = forms.CharField(
        label=_("What do we work on?"),
        help_text=_("Say what they have in common, in a few words."),
        max_length=200,
    )
    why = forms.CharField(
        label=_("Why does it matter?"), required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
