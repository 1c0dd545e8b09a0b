"""What is asked to put a story right and to mark quotes in it."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from coproduce.engine import quotes
from coproduce.engine.quotes import Span
from coproduce.people.forms import ActionForm
from coproduce.people.models import Person
from coproduce.voices.forms.fields import OneOf, Ticks, UsesForm, Words
from coproduce.voices.models import Speaker, Story, Turn, Use, cut, who_may_be_named


class TrimForm(ActionForm):
    """Where the talk starts, or where it ends; what is not given stays as it is."""

    first = forms.ModelChoiceField(queryset=Turn.objects.none(), required=False)
    last = forms.ModelChoiceField(queryset=Turn.objects.none(), required=False)

    def __init__(self, story: Story, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("first", "last"):
            self.fields[name].queryset = story.turns.all()  # type: ignore[attr-defined]
        self.kept = story.turns.filter(trimmed=False)

    @property
    def ends(self) -> tuple[Turn | None, Turn | None]:
        return (
            self.cleaned_data["first"] or self.kept.first(),
            self.cleaned_data["last"] or self.kept.last(),
        )


class AddSpeakerForm(ActionForm):
    label = forms.CharField(
        label=_("What is this speaker called in the story?"),
        help_text=_("Like “Lee”, “Interviewer” or “Woman by the door”. You can say later who that is."),
        max_length=120,
    )


class SpeakerForm(UsesForm):
    person = OneOf(
        label=_("Who is this?"),
        queryset=Person.objects.none(),
        empty_label=_("Not one of us: an interviewer, or somebody we don’t know"),
    )
    field_order = ["person", *Use.values]

    def __init__(self, by: Person, speaker: Speaker, *args: Any, **kwargs: Any) -> None:
        standing = speaker.consents.filter(withdrawn_at__isnull=True).values_list("use", flat=True)
        kwargs["initial"] = {"person": speaker.person_id, **dict.fromkeys(standing, True)}
        super().__init__(*args, **kwargs)
        people = who_may_be_named(by, speaker.story.hub)
        if speaker.person_id:
            people = people | Person.objects.filter(pk=speaker.person_id)
        self.fields["person"].queryset = people  # type: ignore[attr-defined]


class WhoSpeaksForm(ActionForm):
    """A page of turns, each with its speaker. The page draws the choices itself, name and all."""

    def __init__(self, story: Story, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.speakers = {str(speaker.pk): speaker for speaker in story.speakers.select_related("person")}
        asked = {name.removeprefix("turn-"): chosen for name, chosen in self.data.items()}
        known = story.turns.filter(pk__in=[pk for pk in asked if pk.isdecimal() and len(pk) < 19])
        self.who = [(turn, asked[str(turn.pk)]) for turn in known.select_related("story")]

    def clean(self) -> None:
        if any(chosen and chosen not in self.speakers for _turn, chosen in self.who):
            raise forms.ValidationError(_t("One of these speakers is not in this story. Choose again."))

    @property
    def said(self) -> list[tuple[Turn, Speaker | None]]:
        return [(turn, self.speakers.get(chosen)) for turn, chosen in self.who]


class TurnSpeakerForm(ActionForm):
    """One turn, by one key."""

    speaker = OneOf(queryset=Speaker.objects.none())

    def __init__(self, story: Story, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["speaker"].queryset = story.speakers.select_related("person")  # type: ignore[attr-defined]


class ManyTurnsForm(ActionForm):
    """Give many turns to one speaker, or to two who take turns."""

    speaker = forms.ModelChoiceField(
        label=_("Who speaks first?"),
        queryset=Speaker.objects.none(),
        empty_label=None,
        widget=forms.RadioSelect,
    )
    other = OneOf(
        label=_("Who speaks next?"),
        help_text=_("Two people who take turns: first one, then the other, then the first again."),
        queryset=Speaker.objects.none(),
        empty_label=_("Nobody else. All these turns are theirs"),
        widget=forms.RadioSelect,
        blank=True,
    )
    which = forms.ChoiceField(
        label=_("Which turns?"),
        choices=[
            ("left", _("Only turns that have no speaker yet")),
            ("all", _("All of them, also those that have a speaker now")),
        ],
        initial="left",
        widget=forms.RadioSelect,
    )

    def __init__(self, story: Story, begin: Turn | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        speakers = story.speakers.select_related("person")
        self.turns = story.turns.filter(trimmed=False, position__gte=begin.position if begin else 0)
        self.fields["speaker"].queryset = speakers  # type: ignore[attr-defined]
        self.fields["other"].queryset = speakers  # type: ignore[attr-defined]
        if len(speakers) < 2:
            del self.fields["other"]

    @property
    def said(self) -> list[tuple[Turn, Speaker]]:
        turns = self.turns
        if self.cleaned_data["which"] == "left":
            turns = turns.filter(speaker__isnull=True)
        speaker = self.cleaned_data["speaker"]
        alternate = [speaker, self.cleaned_data.get("other") or speaker]
        return [(turn, alternate[place % 2]) for place, turn in enumerate(turns.select_related("story"))]


class SeenForm(ActionForm):
    """A form about the words of a turn. Refused if they were mended after the page was made."""

    def __init__(self, turn: Turn, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.turn = turn

    def clean(self) -> None:
        if self.data.get("seen") != self.turn.seen:
            raise forms.ValidationError(
                _t("Somebody mended this turn while you had it open. Look at it again, then go on.")
            )


class MendForm(SeenForm):
    text = forms.CharField(label=_("The words, as they were said"), widget=forms.Textarea(attrs={"rows": 12}))

    def __init__(self, turn: Turn, *args: Any, **kwargs: Any) -> None:
        super().__init__(turn, *args, initial={"text": turn.text}, **kwargs)


class SplitForm(SeenForm):
    at = forms.ChoiceField(
        label=_("Where does somebody else begin?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose the first sentence of the other person.")},
    )
    speaker = OneOf(
        label=_("Who speaks from there on?"),
        queryset=Speaker.objects.none(),
        empty_label=_("I will say later"),
        widget=forms.RadioSelect,
        blank=True,
    )

    def __init__(self, turn: Turn, *args: Any, **kwargs: Any) -> None:
        super().__init__(turn, *args, **kwargs)
        self.fields["at"].choices = [  # type: ignore[attr-defined]
            (str(span.begins), turn.text[span.begins : span.ends]) for span in quotes.sentences(turn.text)[1:]
        ]
        self.fields["speaker"].queryset = turn.story.speakers.select_related("person")  # type: ignore[attr-defined]

    def clean_at(self) -> int:
        return int(self.cleaned_data["at"])


class QuoteForm(SeenForm):
    """Words of a turn to keep: sentences that were ticked, or words that were typed."""

    sentences = Ticks(
        label=_("Tick what to keep"),
        help_text=_("One sentence, or the first and the last of several. What is between them comes too."),
        widget=forms.CheckboxSelectMultiple,
    )
    words = Words(
        label=_("Or type the words"),
        help_text=_("The same words as above. You can leave out sentences, but not words in the middle."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, turn: Turn, *args: Any, **kwargs: Any) -> None:
        super().__init__(turn, *args, **kwargs)
        kept = [quote.span for quote in turn.quotes.all()]
        self.spans = quotes.sentences(turn.text)
        self.fields["sentences"].choices = [  # type: ignore[attr-defined]
            (str(place), _with_marks(turn.text, span, kept)) for place, span in enumerate(self.spans)
        ]

    def clean(self) -> None:
        super().clean()
        ticked = sorted(int(place) for place in self.cleaned_data.get("sentences", ()))
        words = self.cleaned_data.get("words", "")
        self.span: Span | None = None
        if "sentences" in self.errors:
            return
        if ticked and words:
            self.add_error("words", _("You ticked sentences and typed words. Keep one of the two."))
        elif words:
            self.span = quotes.find(self.turn.text, words)
            if self.span is None:
                self.add_error("words", self._not_there(words))
        elif not ticked:
            self.add_error("sentences", _("Tick at least one sentence, or type the words."))
        elif len(ticked) > 2 and ticked[-1] - ticked[0] != len(ticked) - 1:
            self.add_error(
                "sentences",
                _("A quote is one piece, without gaps. Tick sentences that follow each other."),
            )
        else:
            self.span = Span(self.spans[ticked[0]].begins, self.spans[ticked[-1]].ends)

    def _not_there(self, words: str) -> str:
        said = [self.turn.text[span.begins : span.ends] for span in self.spans]
        nearest = get_close_matches(words, said, n=1, cutoff=0.3)
        if nearest:
            return _t("These words are not in this turn. Did you mean: “%(words)s”?") % {"words": nearest[0]}
        return _t("These words are not in this turn. A quote keeps the words just as they were said.")


def _with_marks(text: str, span: Span, kept: list[Span]) -> str:
    """A sentence, with what is kept of it already marked."""
    begins, ends = span.begins, span.ends
    inside = [
        Span(max(one.begins, begins) - begins, min(one.ends, ends) - begins)
        for one in kept
        if one.begins < ends and one.ends > begins
    ]
    return format_html_join(
        "",
        "{}",
        (
            (format_html("<mark>{}</mark>", piece.text) if piece.kept else piece.text,)
            for piece in cut(text[begins:ends], inside)
        ),
    )


class KeepForm(SeenForm):
    """Words of a turn to keep, chosen by selecting them on the page."""

    begins = forms.IntegerField(min_value=0)
    ends = forms.IntegerField(min_value=1)

    @property
    def span(self) -> Span:
        return Span(self.cleaned_data["begins"], self.cleaned_data["ends"])
