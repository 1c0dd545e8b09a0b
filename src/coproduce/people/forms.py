"""Forms of every room begin here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError


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
