"""Signing in: nobody makes an account for themselves; whoever looks after people gives one."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class Adapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest | None) -> bool:
        return False
