"""What is asked when themes and quotes go out, and when work comes in from another tool."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from coproduce.engine import exchange
from coproduce.people.forms import ActionForm, DateField, hubs_to_choose
from coproduce.people.models import Person
from coproduce.themes.exchange import Format
from coproduce.voices.models import Use


class TakeAwayForm(ActionForm):
    use = forms.ChoiceField(
        label=_("Who is it for?"),
        help_text=_("Only what people allow for that is in it."),
        choices=[
            (Use.GROUP, _("The group. Names are in it")),
            (Use.SERVICES, _("Services. No names, and what could tell who somebody is stays hidden")),
            (Use.PUBLIC, _("Anybody. Names as people chose them")),
        ],
        widget=forms.RadioSelect,
    )
    format = forms.ChoiceField(label=_("As what?"), choices=Format.choices, widget=forms.RadioSelect)

    def __init__(self, by: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["hub"] = hubs_to_choose(by, "make sense")
        self.order_fields(["hub"])


class BringForm(ActionForm):
    file = forms.FileField(
        label=_("The file"),
        help_text=_(
            "From QualCoder, NVivo, MAXQDA or ATLAS.ti: a project (.qdpx) or the codes alone (.qdc). "
            "From Taguette: a project (.sqlite3). "
            "From QualCoder also: the folder of a project, packed as .zip."
        ),
        widget=forms.FileInput(attrs={"accept": ".qdpx,.qdc,.sqlite3,.sqlite,.db,.zip,.qda"}),
        error_messages={"required": _("Choose a file."), "empty": _("This file is empty. Choose another.")},
    )

    def __init__(self, by: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["hub"] = hubs_to_choose(by, "make sense")
        self.order_fields(["hub"])

    @property
    def brought(self) -> tuple[str, bytes]:
        """The name and the content of the file."""
        file: UploadedFile = self.cleaned_data["file"]
        return str(file.name), file.read(exchange.MAX_BYTES + 1)

    def does(self, action: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
        try:
            return super().does(action, *args, **kwargs)
        except exchange.NotFromATool as wrong:
            self.add_error("file", str(wrong))
            return False


class TakeInForm(ActionForm):
    told_on = DateField(
        label=_("When were these stories told?"),
        help_text=_("The file does not say. If they were told on several days, write the last one."),
    )
