"""What the forms of every room begin with: a form that ends in one action, and a date as people write it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dates import MONTHS, MONTHS_3
from django.utils.translation import gettext_lazy as _


class ActionForm(forms.Form):
    """A form that ends in one action."""

    result: Any = None

    def does(self, action: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
        """Call the action. What it refuses becomes an error on this form, with everything that was typed kept."""
        try:
            self.result = action(*args, **kwargs)
        except ValidationError as refused:
            self.add_error(None, refused)
            return False
        return True


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
