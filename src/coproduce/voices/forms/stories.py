"""What is asked to bring in stories: the files, who told them, which quotes are taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from coproduce.engine import transcript
from coproduce.people.forms import ActionForm, DateField
from coproduce.people.models import Hub, Person
from coproduce.voices import taking
from coproduce.voices.forms.fields import Files, FilesInput, HubForm, Ticks, UsesForm, Words
from coproduce.voices.models import Speaker, who_may_be_named


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
