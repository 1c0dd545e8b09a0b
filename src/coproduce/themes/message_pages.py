"""The pages where a group writes its key messages, and says that it agrees on them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Person
from coproduce.people.pages import page_of, press
from coproduce.people.permissions import hubs_where, must
from coproduce.themes import forms, together
from coproduce.themes.models import KeyMessage, Theme, last_act, messages_with_quotes, voices_in
from coproduce.voices.models import Use, Voice


@signed_in
def key_messages(request: PersonRequest) -> HttpResponse:
    """Every key message the reader's groups have, with the quotes it stands on."""
    page = page_of(request, KeyMessage.objects.visible_to(request.person).order_by("theme__name", "pk"), 12)
    known = KeyMessage.objects.filter(pk__in=[message.pk for message in page]).order_by("theme__name", "pk")
    return render(
        request,
        "themes/key_messages.html",
        {
            "page": page,
            "rows": messages_with_quotes(known, request.person),
            "sorts": hubs_where(request.person, "make sense"),
        },
    )


@signed_in
def write(request: PersonRequest, pk: int) -> HttpResponse:
    by = request.person
    theme = get_object_or_404(Theme.objects.visible_to(by).standing().select_related("hub"), pk=pk)
    must(by, "make sense", theme.hub_id)
    form = _form(request, theme)
    if form.is_valid() and form.does(
        together.write_key_message,
        by,
        theme,
        form.cleaned_data["words"],
        form.cleaned_data["use"],
        form.cleaned_data["voices"],
    ):
        messages.success(request, _("Written down. Now let the group agree on it."))
        return redirect("themes:theme", theme.pk)
    return _page(request, form, theme, None)


@signed_in
def change(request: PersonRequest, pk: int) -> HttpResponse:
    by = request.person
    message = _to_work_on(request, pk)
    initial = {
        "words": message.words,
        "use": message.use,
        "voices": list(message.stands_on.values_list("voice", flat=True)),
    }
    form = _form(request, message.theme, initial)
    if form.is_valid() and form.does(together.change_key_message, by, message, **form.cleaned_data):
        messages.success(request, _("Saved."))
        return redirect("themes:theme", message.theme_id)
    return _page(request, form, message.theme, message)


def _form(
    request: PersonRequest, theme: Theme, initial: dict[str, Any] | None = None
) -> forms.KeyMessageForm:
    """What was typed and ticked is kept while somebody only looks at more quotes."""
    quotes = _quotes(theme, request.person)
    if "show" in request.POST:
        typed = {name: request.POST.get(name, "") for name in ("words", "use")}
        return forms.KeyMessageForm(quotes, initial=typed | {"voices": request.POST.getlist("voices")})
    return forms.KeyMessageForm(quotes, request.POST or None, initial=initial)


def _quotes(theme: Theme, by: Person) -> QuerySet[Voice]:
    """What it may stand on: quotes of the theme that are allowed for anything."""
    return Voice.objects.for_reading(by).for_the_machine().filter(pk__in=voices_in([theme.pk]))


def _page(
    request: PersonRequest, form: forms.KeyMessageForm, theme: Theme, message: KeyMessage | None
) -> HttpResponse:
    """Each quote with what it is allowed for. Those ticked on other pages of the list go along, hidden."""
    quotes = _quotes(theme, request.person)
    page = Paginator(quotes, 20).get_page(request.POST.get("show"))
    shown = [voice.pk for voice in page]
    allowed = {
        use: set(Voice.objects.filter(pk__in=shown).for_use(use).values_list("pk", flat=True)) for use in Use
    }
    ticked = form.ticked
    return render(
        request,
        "themes/key_message.html",
        {
            "form": form,
            "theme": theme,
            "message": message,
            "page": page,
            "rows": [
                (voice, str(voice.pk) in ticked, [use.to_whom for use in Use if voice.pk in allowed[use]])
                for voice in page
            ],
            "elsewhere": quotes.filter(pk__in=[pk for pk in ticked if pk.isdecimal()]).exclude(pk__in=shown),
            "seen": last_act(message) if message else None,
        },
    )


@signed_in
def agree(request: PersonRequest, pk: int) -> HttpResponse:
    """Write down that the group agreed on it."""
    message = _to_work_on(request, pk)
    form = forms.AgreeForm(message, request.POST or None)
    if form.is_valid() and form.does(
        together.agree,
        request.person,
        message,
        form.cleaned_data["on"],
        form.cleaned_data["session"],
        form.cleaned_data["seen"],
    ):
        messages.success(request, _("Written down: the group agrees."))
        return redirect("themes:theme", message.theme_id)
    [(_message, shown, hidden)] = messages_with_quotes(
        KeyMessage.objects.filter(pk=message.pk), request.person
    )
    return render(
        request,
        "themes/agree.html",
        {"form": form, "message": message, "quotes": shown, "hidden": hidden, "seen": last_act(message)},
    )


@require_POST
@signed_in
def no_longer_agreed(request: PersonRequest, pk: int) -> HttpResponse:
    message = _to_work_on(request, pk)
    press(request, _("It is open again."), together.no_longer_agreed, request.person, message)
    return redirect("themes:theme", message.theme_id)


@require_POST
@signed_in
def remove(request: PersonRequest, pk: int) -> HttpResponse:
    message = _to_work_on(request, pk)
    done = _("The key message is gone. Its quotes stay in the theme.")
    press(request, done, together.remove_key_message, request.person, message)
    return redirect("themes:theme", message.theme_id)


def _to_work_on(request: PersonRequest, pk: int) -> KeyMessage:
    known = KeyMessage.objects.visible_to(request.person).select_related("theme__hub", "hub")
    message = get_object_or_404(known, pk=pk)
    must(request.person, "make sense", message.hub_id)
    return message
