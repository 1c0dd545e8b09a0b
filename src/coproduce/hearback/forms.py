from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from coproduce.hearback.sensitive import sensitive_words
from coproduce.people.forms import ActionForm


class UpdateForm(ActionForm):
    title = forms.CharField(
        label=_("What happened, in one line?"),
        help_text=_(
            "It may stand on an envelope or a shared phone. So no word about health, homes, drugs or services."
        ),
        max_length=160,
    )
    text = forms.CharField(
        label=_("Now tell it in a few plain sentences"),
        help_text=_(
            "What changed. What did not, and why. What comes next, and when. Each person sees their own words above it."
        ),
        widget=forms.Textarea(attrs={"rows": 8}),
    )

    def clean_title(self) -> str:
        title: str = self.cleaned_data["title"]
        if words := sensitive_words(title):
            raise forms.ValidationError(
                ngettext(
                    "“%(words)s” could give somebody away, on a phone that others see. "
                    "Say it without, like “They said yes” or “The plan has changed”. "
                    "Below you can say everything.",
                    "These words could give somebody away, on a phone that others see: %(words)s. "
                    "Say it without them, like “They said yes” or “The plan has changed”. "
                    "Below you can say everything.",
                    len(words),
                )
                % {"words": ", ".join(words)}
            )
        return title


class AnswerForm(ActionForm):
    answered = forms.TypedChoiceField(
        label=_("Did that answer you?"),
        choices=[("yes", _("Yes, thanks")), ("no", _("Not really"))],
        coerce=lambda typed: typed == "yes",
        widget=forms.RadioSelect,
    )
    words = forms.CharField(
        label=_("Do you want to say more?"),
        help_text=_("The group will read it, and you will hear what happens."),
        widget=forms.Textarea(attrs={"rows": 4}),
        required=False,
    )


AGAIN = {
    "evening": _("This evening, at six"),
    "morning": _("Tomorrow morning, at ten"),
    "afternoon": _("Tomorrow afternoon, at two"),
    "week": _("In a week"),
}


class ToldForm(ActionForm):
    """What came of a call, or of meeting somebody. On those pages each outcome is a button: one tap is enough."""

    outcome = forms.ChoiceField(
        label=_("How did it go?"),
        choices=[
            ("told", _("I told them")),
            ("no answer", _("No answer. I will try again")),
            ("cannot reach", _("I can't reach them this way")),
            ("again", _("They asked to be rung at another time")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose how it went.")},
    )
    again = forms.ChoiceField(label=_("When?"), choices=list(AGAIN.items()), required=False)
    words = forms.CharField(
        label=_("Did they say something? Write it in their own words"),
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("outcome") == "again" and not cleaned.get("again"):
            self.add_error("again", _("Choose when to ring them again."))
        return cleaned

    @property
    def again_at(self) -> dt.datetime | None:
        """The time they asked for. An evening that is over is tomorrow's."""
        if self.cleaned_data["outcome"] != "again":
            return None
        now = timezone.localtime()
        days, hour = {
            "evening": (0 if now.hour < 18 else 1, 18),
            "morning": (1, 10),
            "afternoon": (1, 14),
            "week": (7, 10),
        }[self.cleaned_data["again"]]
        at = now + dt.timedelta(days=days)
        return at.replace(hour=hour, minute=0, second=0, microsecond=0)


class PassedOnForm(ToldForm):
    """What came of passing on news to somebody one supports."""

    read_back = forms.BooleanField(
        label=_("I read their words back to them, and they said it is right"), required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["again"]
        self.fields["outcome"].choices = [  # type: ignore[attr-defined]
            ("told", _("I told them")),
            ("no answer", _("I could not yet. I will try again")),
            ("cannot reach", _("I can’t find them any more")),
        ]
