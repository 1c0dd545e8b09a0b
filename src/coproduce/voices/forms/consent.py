"""What is asked about what words may be used for, and to take them back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from coproduce.engine import masking
from coproduce.people.forms import ActionForm
from coproduce.people.models import Hub, Person
from coproduce.voices.allowing import default_uses
from coproduce.voices.consent import Choice, masked_now
from coproduce.voices.forms.fields import Ticks, UsesForm
from coproduce.voices.models import Use, Voice


class ConsentForm(UsesForm):
    """What one voice may be used for."""

    def __init__(self, voice: Voice, *args: Any, **kwargs: Any) -> None:
        standing = voice.consents.filter(withdrawn_at__isnull=True).values_list("use", flat=True)
        kwargs["initial"] = dict.fromkeys(standing, True)
        super().__init__(*args, **kwargs)


class DefaultForm(UsesForm):
    """What somebody allows for what they say from now on."""

    def __init__(self, person: Person, *args: Any, **kwargs: Any) -> None:
        known = default_uses(person)
        kwargs["initial"] = dict.fromkeys([Use.GROUP] if known is None else known, True)
        super().__init__(*args, **kwargs)


class ManyUsesForm(ActionForm):
    """A page of voices, each with its uses. The page draws the boxes itself: `use-<voice>`, one for each use."""

    def __init__(self, voices: list[Voice], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.voices = voices

    @property
    def wanted(self) -> dict[Voice, list[str]]:
        known = set(Use.values)
        return {
            voice: [use for use in self.data.getlist(f"use-{voice.pk}") if use in known]  # type: ignore[attr-defined]
            for voice in self.voices
        }


class MaskForm(ActionForm):
    """What in the words is to be masked when they leave the group. Everything is ticked until somebody decides."""

    hide = Ticks(
        label=_("Hide these outside the group"),
        help_text=_("They may tell who somebody is. Untick what may be read by others."),
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, voice: Voice, offered: list[masking.Found], *args: Any, **kwargs: Any) -> None:
        self.voice, self.offered = voice, offered
        kwargs["initial"] = {"hide": [str(place) for place in masked_now(voice, offered)]}
        super().__init__(*args, **kwargs)
        self.fields["hide"].choices = [  # type: ignore[attr-defined]
            (
                str(place),
                _t("“%(words)s” becomes %(offered)s")
                % {"words": voice.words[each.begins : each.ends], "offered": each.offered},
            )
            for place, each in enumerate(offered)
        ]

    @property
    def ticked(self) -> list[int]:
        return [int(place) for place in self.cleaned_data["hide"]]


class LimitForm(ActionForm):
    months = forms.TypedChoiceField(
        label=_("After how long do you ask people again?"),
        choices=Hub._meta.get_field("consent_months").choices or [],
        coerce=int,
        widget=forms.RadioSelect,
    )


class TakeBackForm(ActionForm):
    choice = forms.ChoiceField(
        label=_("What should happen with the words?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of the two.")},
    )
    hear = forms.BooleanField(required=False)

    def __init__(self, own: bool, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["choice"].choices = [  # type: ignore[attr-defined]
            (Choice.TAKE_OUT, _t("Take my words out") if own else _t("Take their words out")),
            (
                Choice.NAMELESS,
                _t("Keep my words, without my name") if own else _t("Keep their words, without their name"),
            ),
        ]
        self.fields["hear"].label = (
            _t("I still want to hear what comes of it")
            if own
            else _t("They still want to hear what comes of it")
        )
        self.fields["hear"].help_text = _t(
            "Only if the words are kept. Then the computer still knows whose they are, for that alone. "
            "No page shows it to anybody else."
        )
