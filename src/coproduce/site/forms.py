"""Every plain form comes out as GOV.UK's markup, and a date three boxes that take it as people write it."""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField as DjangoBoundField
from django.forms.renderers import TemplatesSetting
from django.utils.dates import MONTHS, MONTHS_3
from django.utils.translation import gettext_lazy as _


class TypedDate(NamedTuple):
    """A date as somebody typed it, kept so that a page with an error can show it again."""

    day: str
    month: str
    year: str


class DateBoxes(forms.Widget):
    """Day, month and year in three boxes: easier than a calendar, and it never guesses the order."""

    template_name = "forms/date_boxes.html"
    use_fieldset = True

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> TypedDate | str | None:
        typed = TypedDate(*(str(data.get(f"{name}_{part}") or "").strip() for part in TypedDate._fields))
        return typed if any(typed) else data.get(name) or None

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return name not in data and all(f"{name}_{part}" not in data for part in TypedDate._fields)

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        return f"{id_}_day" if id_ else ""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        if isinstance(value, str):
            try:
                value = date.fromisoformat(value)
            except ValueError:
                value = TypedDate(value, "", "")
        if isinstance(value, date):
            value = TypedDate(str(value.day), str(value.month), str(value.year))
        wrong = context["widget"]["attrs"].pop("wrong", ())
        labels = {"day": _("Day"), "month": _("Month"), "year": _("Year")}
        context["widget"]["boxes"] = [
            {
                "part": part,
                "label": label,
                "value": getattr(value, part, ""),
                "width": {"day": 2, "month": 5, "year": 4}[part],
                "wrong": part in wrong,
            }
            for part, label in labels.items()
        ]
        return context


class DateField(forms.DateField):
    """A day. Takes 14 3 2026, 14 March 2026 or 14 Mar 2026 from its boxes, and says which box is wrong."""

    widget = DateBoxes
    default_error_messages = {
        "day": _("Write the day as a number, like 14"),
        "month": _("Write the month as a number or a word, like 3 or March"),
        "year": _("Write all four numbers of the year, like 2026"),
        "no_day": _("Write the day as well"),
        "no_month": _("Write the month as well"),
        "no_year": _("Write the year as well"),
        "no_such_day": _("There is no such day. Look at the day and the month again"),
    }

    def to_python(self, value: Any) -> date | None:
        if not isinstance(value, TypedDate):
            return super().to_python(value)
        for part in TypedDate._fields:
            if not getattr(value, part):
                raise ValidationError(self.error_messages[f"no_{part}"], code=part)
        if not (value.day.isdecimal() and len(value.day) <= 2 and 1 <= int(value.day) <= 31):
            raise ValidationError(self.error_messages["day"], code="day")
        month = _month(value.month)
        if month is None:
            raise ValidationError(self.error_messages["month"], code="month")
        if not (value.year.isdecimal() and len(value.year) == 4):
            raise ValidationError(self.error_messages["year"], code="year")
        try:
            return date(int(value.year), month, int(value.day))
        except ValueError:
            raise ValidationError(self.error_messages["no_such_day"], code="day") from None


def _month(typed: str) -> int | None:
    if typed.isdecimal():
        return int(typed) if len(typed) <= 2 and 1 <= int(typed) <= 12 else None
    word = typed.casefold().rstrip(".")
    for names in (MONTHS, MONTHS_3):
        for number, name in names.items():
            if word == str(name).casefold():
                return number
    return 9 if word == "sept" else None


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
