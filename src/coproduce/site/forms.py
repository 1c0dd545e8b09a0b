"""Every plain form comes out as GOV.UK's markup."""

from typing import Any

from django import forms
from django.forms.boundfield import BoundField as DjangoBoundField
from django.forms.renderers import TemplatesSetting
from django.utils.translation import gettext_lazy as _

from coproduce.people.forms import DateBoxes, TypedDate


class BoundField(DjangoBoundField):
    """A field with GOV.UK's classes on it. The browser's own bubbles stay away: ours can be read again."""

    def build_widget_attrs(self, given: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        widget = widget or self.field.widget
        attrs: dict[str, Any] = {**super().build_widget_attrs(given, widget)}
        attrs.pop("required", None)
        if isinstance(widget, DateBoxes):
            attrs["wrong"] = self._wrong_parts()
        elif not widget.is_hidden and (block := _block_of(widget)):
            classes = [block, str(widget.attrs.get("class", ""))]
            if self.errors:
                classes.insert(1, f"{block}--error")
            if isinstance(widget, forms.NumberInput):
                classes.append("govuk-input--width-5")
                attrs.setdefault("inputmode", "numeric")
            if isinstance(widget, forms.EmailInput):
                attrs.setdefault("spellcheck", "false")
                attrs.setdefault("autocomplete", widget.attrs.get("autocomplete", "email"))
            if isinstance(widget, forms.Textarea) and widget.attrs.get("rows") == "10":
                attrs["rows"] = "5"  # ten is Django's own; a box that large asks for more than people have
            attrs["class"] = " ".join(filter(None, classes))
        return attrs

    def _wrong_parts(self) -> tuple[str, ...]:
        codes = [error.code for error in self.form.errors.as_data().get(self.name, [])]
        found = tuple(part for part in TypedDate._fields if part in codes)
        return found or (TypedDate._fields if codes else ())

    @property
    def first_id(self) -> str:
        """Where a link from "There is a problem" lands."""
        if isinstance(self.field.widget, DateBoxes):
            wrong = self._wrong_parts()
            return f"{self.auto_id}_{wrong[0] if wrong else 'day'}"
        if isinstance(self.field.widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
            return f"{self.auto_id}_0"
        return self.auto_id

    @property
    def said_errors(self) -> list[str]:
        """What is wrong, in our words where Django's are nobody's."""
        nobodys = str(forms.Field.default_error_messages["required"])
        ours = _("Please fill this in")
        if self.is_checkbox:
            ours = _("Please tick this if it is so")
        elif isinstance(self.field, forms.ChoiceField):  # ModelChoiceField is one too
            ours = _("Please choose one")
        return [str(ours if str(error) == nobodys else error) for error in self.errors]

    @property
    def label_said(self) -> str:
        """The label as it begins a sentence about what is wrong."""
        return str(self.label).rstrip(" ?:.!")

    @property
    def is_checkbox(self) -> bool:
        return isinstance(self.field.widget, forms.CheckboxInput)

    @property
    def says_optional(self) -> bool:
        """Whether "(optional)" goes after the label: not where a label, or a box to tick, says it itself."""
        return not (self.field.required or self.is_checkbox or "optional" in str(self.label).casefold())


def _block_of(widget: forms.Widget) -> str | None:
    if isinstance(widget, forms.CheckboxInput | forms.RadioSelect | forms.CheckboxSelectMultiple):
        return None
    if isinstance(widget, forms.Textarea):
        return "govuk-textarea"
    if isinstance(widget, forms.Select):
        return "govuk-select"
    if isinstance(widget, forms.FileInput):
        return "file-upload"
    return "govuk-input" if isinstance(widget, forms.widgets.Input) else None


class Renderer(TemplatesSetting):
    form_template_name = "forms/form.html"
    field_template_name = "forms/field.html"
    bound_field_class = BoundField
