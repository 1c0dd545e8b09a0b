from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from coproduce.hearback.models import Feedback, Update, quotes_that_may_go
from coproduce.people.forms import ActionForm, DateField
from coproduce.people.models import Hub, Person
from coproduce.people.sensitive import sensitive_words
from coproduce.voices.models import Voice

OFFERED = 20  # quotes to choose from, the latest


class QuotesField(forms.ModelMultipleChoiceField):
    """Voices to choose from, each by its words as anybody may read them."""

    def label_from_instance(self, obj: Any) -> str:
        return f"“{Truncator(obj.shown).words(40)}” – {obj.who}"


class UpdateForm(ActionForm):
    title = forms.CharField(
        label=_("What happened, in one line?"),
        help_text=_(
            "It may stand on an envelope or a shared phone. So no word about health, homes, drugs or services."
        ),
        max_length=160,
    )
    text = forms.CharField(
        label=_("What changed? Tell it in a few plain sentences"),
        help_text=_("Each person sees their own words above it."),
        widget=forms.Textarea(attrs={"rows": 8}),
    )
    quotes = QuotesField(
        label=_("What was said that led there?"),
        help_text=_("Only words that anybody may read can go to others."),
        queryset=Voice.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    unchanged = forms.CharField(
        label=_("What did not change, and why?"), widget=forms.Textarea(attrs={"rows": 4}), required=False
    )
    following = forms.CharField(
        label=_("What comes next?"), widget=forms.Textarea(attrs={"rows": 3}), required=False
    )
    following_on = DateField(
        label=_("By when will people hear from you again?"),
        help_text=_("This is a promise. We remind you of it."),
        required=False,
    )
    ask = forms.CharField(
        label=_("Who can they ask?"),
        help_text=_("A name, and how to find them."),
        widget=forms.Textarea(attrs={"rows": 2}),
        required=False,
    )

    def __init__(self, draft: Update, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = quotes_that_may_go(draft).order_by("-said_on", "-pk").values_list("pk", flat=True)
        quotes = self.fields["quotes"]
        assert isinstance(quotes, forms.ModelMultipleChoiceField)
        quotes.queryset = Voice.objects.for_reading(None).filter(pk__in=list(offered[:OFFERED]))
        if not quotes.queryset:
            del self.fields["quotes"]
        if draft.still_waiting:
            self.fields["text"].label = _("Why do people still wait? Tell it in a few plain sentences")
            del self.fields["unchanged"]

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
    answered = forms.ChoiceField(
        label=_("Did that answer you?"),
        choices=[
            ("yes", _("Yes, thanks")),
            ("no", _("Not really")),
            ("not fixed", _("You say it is done. It is not")),
        ],
        widget=forms.RadioSelect,
    )
    words = forms.CharField(
        label=_("Do you want to say more?"),
        help_text=_("The group will read it, and you will hear what happens."),
        widget=forms.Textarea(attrs={"rows": 4}),
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        return _as_an_answer(super().clean() or {})


def _as_an_answer(cleaned: dict[str, Any]) -> dict[str, Any]:
    """What was ticked, as actions.answer() takes it: nothing ticked is not known."""
    ticked = cleaned.get("answered")
    return cleaned | {"answered": ticked == "yes" if ticked else None, "not_fixed": ticked == "not fixed"}


AGAIN = {
    "evening": _("This evening, at six"),
    "morning": _("Tomorrow morning, at ten"),
    "afternoon": _("Tomorrow afternoon, at two"),
    "week": _("In a week"),
}


class ToldForm(ActionForm):
    """What came of a call, or of meeting somebody. On those pages each outcome is a button: one tap is enough.

    things: what there was to tell. Of several, an answer is to one of them.
    """

    to = forms.ChoiceField(label=_("What was it about?"), required=False)

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
    answered = forms.ChoiceField(
        label=_("Did it answer them?"),
        choices=[
            ("yes", _("Yes")),
            ("no", _("Not really")),
            ("not fixed", _("They say it is not put right")),
        ],
        widget=forms.RadioSelect,
        required=False,
    )
    words = forms.CharField(
        label=_("Did they say something? Write it in their own words"),
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
    )

    def __init__(self, things: list[Feedback], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.things = things
        choices = [(str(each.pk), each.update.title) for each in things]
        self.fields["to"].choices = [("", _("Choose one")), *choices]  # type: ignore[attr-defined]
        if len(things) < 2:
            del self.fields["to"]

    @property
    def about(self) -> Feedback:
        """What they answered to."""
        chosen = self.cleaned_data.get("to")
        return next((each for each in self.things if str(each.pk) == chosen), self.things[0])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        said = cleaned.get("words", "").strip() or cleaned.get("answered")
        if "to" in self.fields and cleaned.get("outcome") == "told" and said and not cleaned.get("to"):
            self.add_error("to", _("Choose what they said it about."))
        if cleaned.get("outcome") == "again" and not cleaned.get("again"):
            self.add_error("again", _("Choose when to ring them again."))
        return _as_an_answer(cleaned)

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

    def __init__(self, things: list[Feedback], *args: Any, **kwargs: Any) -> None:
        super().__init__(things, *args, **kwargs)
        del self.fields["again"]
        self.fields["outcome"].choices = [  # type: ignore[attr-defined]
            ("told", _("I told them")),
            ("no answer", _("I could not yet. I will try again")),
            ("cannot reach", _("I can’t find them any more")),
        ]


class StillWaitingForm(ActionForm):
    months = forms.TypedChoiceField(
        label=_("After how long without news do people hear?"),
        choices=Hub._meta.get_field("still_waiting_months").choices or [],
        coerce=int,
        widget=forms.RadioSelect,
    )


class MatchForm(ActionForm):
    """Who wrote back, as far as somebody knows."""

    person = forms.ModelChoiceField(
        label=_("Who is it?"),
        queryset=Person.objects.none(),
        empty_label=_("Choose"),
        error_messages={"required": _("Choose who it is. If nobody knows, put it aside.")},
    )

    def __init__(self, by: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"].queryset = Person.objects.visible_to(by).filter(known_through__isnull=True)  # type: ignore[attr-defined]
