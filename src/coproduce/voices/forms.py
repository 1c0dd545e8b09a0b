"""What people fill in to bring in stories, put them right, mark quotes, write down voices and allow uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from coproduce.engine import masking, quotes, transcript
from coproduce.engine.quotes import Span
from coproduce.people.forms import ActionForm, DateField
from coproduce.people.models import Hub, Person
from coproduce.people.permissions import hubs_where
from coproduce.voices import taking
from coproduce.voices.actions import default_uses
from coproduce.voices.consent import Choice, masked_now
from coproduce.voices.models import Incoming, Speaker, Story, Turn, Use, Voice, cut, who_may_be_named


class EmptyIsAnAnswer(forms.Field):
    """Not required and not extra either: an empty choice says something, or the next field does."""

    def clean(self, value: Any, *args: Any) -> Any:
        self.required = False
        try:
            return super().clean(value, *args)
        finally:
            self.required = True


class OneOf(EmptyIsAnAnswer, forms.ModelChoiceField):
    pass


class Ticks(EmptyIsAnAnswer, forms.MultipleChoiceField):
    pass


class Words(EmptyIsAnAnswer, forms.CharField):
    pass


class FilesInput(forms.FileInput):
    allow_multiple_selected = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return files.getlist(name) if hasattr(files, "getlist") else []


class Files(EmptyIsAnAnswer, forms.FileField):
    """Any number of files, as a list."""

    widget = FilesInput

    def clean(self, value: Any, initial: Any = None) -> list[UploadedFile]:
        # One that is empty is told by its name, where the others are.
        self.allow_empty_file = True
        return [super(Files, self).clean(file, initial) for file in value]


class HubForm(ActionForm):
    """A form that asks which hub, unless there is only one where this person may do it."""

    hub = forms.ModelChoiceField(label=_("Which hub?"), queryset=Hub.objects.none(), empty_label=_("Choose"))

    def __init__(self, person: Person, verb: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hubs = Hub.objects.filter(pk__in=hubs_where(person, verb))
        self.only_hub = hubs[0] if len(hubs) == 1 else None
        if self.only_hub:
            del self.fields["hub"]
        else:
            self.fields["hub"].queryset = hubs  # type: ignore[attr-defined]

    @property
    def chosen_hub(self) -> Hub:
        return self.only_hub or self.cleaned_data["hub"]


class UsesForm(ActionForm):
    """What words may be used for: each use with its sentence."""

    group = forms.BooleanField(
        label=_("The group may read them"),
        help_text=_("People in this hub see the words, and the name."),
        required=False,
    )
    services = forms.BooleanField(
        label=_("Services may read them, without the name"),
        help_text=_("The council, charities and health services see the words. Not who said them."),
        required=False,
    )
    public = forms.BooleanField(
        label=_("Anybody may read them, with the name"),
        help_text=_("They can be on our web pages and in reports. Anybody can copy what is public."),
        required=False,
    )

    @property
    def uses(self) -> list[str]:
        return [use for use in Use.values if self.cleaned_data[use]]


# Stories


class StoryForm(HubForm):
    title = forms.CharField(
        label=_("What shall we call it?"),
        help_text=_("A few words, like “Lee’s story” or “Four people at the day centre”."),
        max_length=200,
    )
    gathered_on = DateField(label=_("When was it told?"))
    file = Files(
        label=_("The transcript, or many"),
        help_text=_(
            "The words written down: a Word file (.docx), or .txt, .vtt or .srt. "
            "Choose up to 50 at once: each becomes a story."
        ),
        widget=FilesInput(attrs={"accept": ".txt,.vtt,.srt,.docx"}),
    )
    text = Words(
        label=_("Or paste the words here"),
        help_text=_("If each line starts with a name, like “Lee: I had eleven workers”, we keep who spoke."),
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    field_order = ["title", "gathered_on", "hub", "file", "text"]

    def clean(self) -> None:
        files, text = self.cleaned_data.get("file"), self.cleaned_data.get("text", "")
        if "file" in self.errors or "text" in self.errors:
            return
        if files and text.strip():
            self.add_error("text", _("There is a file and there are words. Bring one of them, not both."))
        elif not files and not text.strip():
            self.add_error("file", _("Choose a file, or paste the words below."))
        elif files and len(files) > taking.MOST_FILES:
            self.add_error(
                "file",
                _t("These are %(n)d files. Bring at most %(most)d at once, then the others.")
                % {"n": len(files), "most": taking.MOST_FILES},
            )
        elif files and sum(file.size or 0 for file in files) > taking.MOST_BYTES:
            self.add_error(
                "file",
                _t("These files are too big together: over %(most)d MB. Bring some now, then the others.")
                % {"most": taking.MOST_BYTES // 1024 // 1024},
            )
        if files and self.errors:
            self.add_error("file", _("Choose the file once more. Browsers forget it when a page comes back."))

    @property
    def many(self) -> list[UploadedFile]:
        """The files, where they are several."""
        return self.cleaned_data["file"] if len(self.cleaned_data["file"]) > 1 else []

    @property
    def brought(self) -> tuple[str, bytes]:
        """The name and the content of the one file, or of what was pasted."""
        for file in self.cleaned_data["file"]:
            return str(file.name), file.read(transcript.MAX_BYTES + 1)
        return "pasted.txt", self.cleaned_data["text"].encode()

    def does(self, action: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
        try:
            return super().does(action, *args, **kwargs)
        except transcript.NotATranscript as wrong:
            self.add_error("file" if self.cleaned_data["file"] else "text", str(wrong))
            return False

    def none_came(self, refused: list[tuple[str, str]]) -> None:
        for name, why in refused:
            self.add_error("file", f"{name}: {why}")


class WhoToldForm(UsesForm):
    """Speakers nobody has named yet, each with a box and a name: those who are ticked allow the same."""

    def __init__(self, by: Person, hub: Hub, speakers: list[Speaker], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = {person.name.casefold() for person in who_may_be_named(by, hub)}
        self.speakers = speakers
        labels = Counter(speaker.label.casefold() for speaker in speakers)
        for speaker in speakers:
            about = {"label": speaker.label, "title": speaker.story.title}
            self.fields[f"told-{speaker.pk}"] = forms.BooleanField(
                label=_t("“%(label)s” in “%(title)s”") % about, required=False, initial=True
            )
            # What many are called in the files, like "Participant", is nobody's name.
            own = labels[speaker.label.casefold()] == 1
            self.fields[f"name-{speaker.pk}"] = Words(
                label=_t("“%(label)s” likes to be called") % about,
                max_length=120,
                initial=speaker.label if own else speaker.story.title.rpartition(": ")[2][:120],
            )

    @property
    def rows(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        return [(self[f"told-{one.pk}"], self[f"name-{one.pk}"]) for one in self.speakers]

    def clean(self) -> None:
        self.named: list[tuple[Speaker, str]] = []
        for speaker in self.speakers:
            name = self.cleaned_data.get(f"name-{speaker.pk}", "").strip()
            if not self.cleaned_data.get(f"told-{speaker.pk}") or f"name-{speaker.pk}" in self.errors:
                continue
            if not name:
                self.add_error(f"name-{speaker.pk}", _("Write a name. It need not be the real one."))
            elif name.casefold() in self.known:
                self.add_error(
                    f"name-{speaker.pk}",
                    _t(
                        "There is a %(name)s here already. If this is somebody else, write a name that tells "
                        "them apart. If it is the same person, untick them here, and say so in the story."
                    )
                    % {"name": name},
                )
            else:
                self.known.add(name.casefold())
                self.named.append((speaker, name))
        if not self.named and not self.errors:
            raise forms.ValidationError(_t("Tick at least one of them."))


class TakeQuotesForm(ActionForm):
    speakers = Ticks(label=_("Whose words?"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, offered: list[taking.Offered], titles: bool, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"speakers": [str(one.speaker.pk) for one in offered if one.meant]}
        super().__init__(*args, **kwargs)
        self.offered = {str(one.speaker.pk): one for one in offered}
        self.fields["speakers"].choices = [  # type: ignore[attr-defined]
            (pk, _said_by(one, titles)) for pk, one in self.offered.items()
        ]

    def clean_speakers(self) -> list[Speaker]:
        if not self.cleaned_data["speakers"]:
            raise forms.ValidationError(_t("Tick at least one of them."))
        return [self.offered[pk].speaker for pk in self.cleaned_data["speakers"]]


def _said_by(one: taking.Offered, titles: bool) -> str:
    who = str(one.speaker.person or one.speaker.label)
    if titles:
        who = _t("%(who)s in “%(title)s”") % {"who": who, "title": one.speaker.story.title}
    quotes = ngettext("%(n)d quote", "%(n)d quotes", one.quotes) % {"n": one.quotes}
    return f"{who}: {quotes}"


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


# Voices


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


class ConsentForm(UsesForm):
    """What one voice may be used for."""

    def __init__(self, voice: Voice, *args: Any, **kwargs: Any) -> None:
        standing = voice.consents.filter(withdrawn_at__isnull=True).values_list("use", flat=True)
        kwargs["initial"] = dict.fromkeys(standing, True)
        super().__init__(*args, **kwargs)


# What strangers say


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
