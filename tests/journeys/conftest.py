"""A real browser on a real server: a phone's width, with or without JavaScript, and axe to look at every page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page

from coproduce.people.models import Person

AXE = (Path(__file__).parents[1] / "vendor" / "axe" / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def open_context(browser: Browser, live_server) -> Iterator[Callable[..., BrowserContext]]:
    """A function: a browser of its own, signed in as a person or not, `scripts` on or off."""
    contexts: list[BrowserContext] = []

    def open_one(person: Person | None = None, scripts: bool = True, **options: object) -> BrowserContext:
        options = {"viewport": PHONE, "java_script_enabled": scripts} | options
        context = browser.new_context(base_url=live_server.url, **options)  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        if person is not None:
            client = Client()
            client.force_login(person.account, backend="django.contrib.auth.backends.ModelBackend")
            cookie = client.cookies[settings.SESSION_COOKIE_NAME]
            context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
        contexts.append(context)
        return context

    yield open_one
    for context in contexts:
        context.close()


def look(page: Page) -> list[str]:
    """What axe finds on this page, in a line each; also what is wider than the screen. It needs JavaScript on."""
    page.evaluate(AXE)
    found = page.evaluate(
        "rules => axe.run(document, {runOnly: rules}).then(result => result.violations.map("
        "v => v.id + ': ' + v.help + ' | ' + v.nodes.map(n => n.html.slice(0, 160)).slice(0, 3).join(' ; ')))",
        RULES,
    )
    width = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    if width[0] > width[1]:
        found.append(f"wider than the screen: {width[0]} > {width[1]}")
    return [f"{page.url}: {each}" for each in found]


def listen(page: Page) -> list[str]:
    """What a page must not do: speak of errors, open a window of its own, or ask anything of anybody else."""
    heard: list[str] = []
    page.on("console", lambda line: heard.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("dialog", lambda dialog: (heard.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    own = {"localhost", "127.0.0.1"}
    page.on(
        "request",
        lambda asked: (
            heard.append(asked.url)
            if urlsplit(asked.url).hostname not in own and not asked.url.startswith(("data:", "blob:"))
            else None
        ),
    )
    return heard


# What somebody might type who wants a page to run it, a spreadsheet to count it, or a letter to take it for markup.
EVIL = [
    "<script>alert(1)</script><img src=https://evil.example/x onerror=alert(2)>",
    "\"><svg onload=alert(3)><iframe src='javascript:alert(4)'></iframe>",
    "</textarea></title><script src=//evil.example/x.js></script>",
    "<base href=https://evil.example/><form action=https://evil.example/><button>Send it</button>",
    '=HYPERLINK("https://evil.example/","x") <a href=javascript:alert(5)>x</a>',
    "{{constructor.constructor('alert(6)')()}} ${alert(7)} <style>@import '//evil.example/x.css'</style>",
    '<div hx-get="/people/" hx-trigger="load" hx-on::load="alert(8)">x</div>',
]
