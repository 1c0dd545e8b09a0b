"""Setting up a group of one's own, once, on an empty installation. The link is printed where it was started."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib.auth import login
from django.core.signing import BadSignature, Signer
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from coproduce.people.actions import set_up
from coproduce.people.forms import ActionForm
from coproduce.people.models import Hub, Person

_signer = Signer(salt="set-up")


def set_up_path() -> str | None:
    """The path of the set-up page while there is nobody here; None afterwards."""
    if Person.objects.exists() or Hub.objects.exists():
        return None
    return reverse("set_up", args=[_signer.sign("set-up")])


class SetUpForm(ActionForm):
    hub_name = forms.CharField(
        label=_("What is your group called?"),
        help_text=_("For example the name of your town. You can add smaller groups under it later."),
        max_length=120,
    )
    about = forms.CharField(
        label=_("What is it for, in a sentence?"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    name = forms.CharField(label=_("What do you like to be called?"), max_length=120)
    email = forms.EmailField(
        label=_("Your email"),
        help_text=_("To sign in, you get a code at this address. There are no passwords."),
    )


def page(request: HttpRequest, token: str) -> HttpResponse:
    try:
        _signer.unsign(token)
    except BadSignature:
        raise Http404 from None
    if set_up_path() is None:
        return redirect("home")
    form = SetUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and form.does(set_up, **form.cleaned_data):
        login(request, form.result.account, backend="django.contrib.auth.backends.ModelBackend")
        return redirect("home")
    return render(request, "site/set_up.html", {"form": form, "email_is_set_up": settings.EMAIL_IS_SET_UP})
