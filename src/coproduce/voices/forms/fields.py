"""What the forms of this room have in common: which hub, which uses, and fields where empty is an answer."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from coproduce.people.forms import ActionForm
from coproduce.people.models import Hub, Person
from coproduce.people.permissions import hubs_where
from coproduce.voices.models import Use


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
