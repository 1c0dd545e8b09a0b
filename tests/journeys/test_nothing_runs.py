"""Markup, scripts and formulas typed into every text field that a page of the town has: none of it ever runs.

A facilitator's, a coordinator's and a visitor's pages are found by following links. Each form on them is filled in and
sent, past what the browser would check. Then every page is opened again, by the group, a service and a visitor.
"""

from __future__ import annotations

import re
from itertools import count
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from coproduce.people.models import Person
from coproduce.site import demo
from tests.journeys.conftest import EVIL, listen
from tests.journeys.test_every_page import kind_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LEAVE_ALONE = re.compile(
    r"^/(account|try|set-up)/|/(erase|take-back)/|/file/$|\.(pdf|json)$|[?&](page|state)="
)
NOT_THERE = "!document.querySelector('main script, main iframe, main [onload], main base, main style')"

# The forms of a page that are sent by POST and hold a text field.
FORMS = """() => [...document.querySelectorAll("main form")].filter(form => form.method === "post"
  && !/logout|erase|take-back/.test(form.action)
  && form.querySelector("textarea, input[type=text], input:not([type]), input[type=email], input[type=tel]"))"""

# Fills in the n-th of them, and sends it past what the browser would check. Answers with the names of its fields.
FILL = """([n, evil]) => {
  const form = (FORMS)()[n];
  if (!form) return [];
  const names = [];
  for (const field of form.querySelectorAll("textarea, input")) {
    if (!["textarea", "text", "email", "tel"].includes(field.type) || field.name === "website") continue;
    const number = field.inputMode === "numeric";
    field.value = number ? "1" : evil.slice(0, field.maxLength > 0 ? field.maxLength : evil.length);
    if (!number) names.push(field.name);
  }
  for (const choice of form.querySelectorAll("select")) choice.selectedIndex = choice.options.length - 1;
  const kinds = new Set();
  for (const one of form.querySelectorAll("input[type=radio]"))
    if (!kinds.has(one.name)) { kinds.add(one.name); one.checked = true; }
  HTMLFormElement.prototype.submit.call(form);
  return names;
}""".replace("FORMS", FORMS)


def pages_of(page: Page, at_most: int) -> list[str]:
    """One of each kind of page that links lead to."""
    waiting, kinds = ["/"], dict[str, str]()
    while waiting and len(kinds) < at_most:
        path = waiting.pop(0)
        if kind_of(path) in kinds or LEAVE_ALONE.search(path):
            continue
        kinds[kind_of(path)] = path
        page.goto(path)
        for link in page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)"):
            parts = urlsplit(link)
            if parts.hostname in ("localhost", "127.0.0.1"):
                waiting.append(parts.path + (f"?{parts.query}" if parts.query else ""))
    return list(kinds.values())


def test_nothing_typed_into_any_text_field_ever_runs(open_context, full, record_property):
    demo.load_once()
    cast = {name: Person.objects.get(name=name) for name in ("Amina", "Ify", "Joan", "Marek")}
    filled: set[str] = set()
    heard: list[str] = []
    for who in ("Amina", "Ify", "Joan", None):
        page = open_context(cast.get(who or "")).new_page()
        heard_here = listen(page)
        for path in pages_of(page, 80):
            for number in count():
                page.goto(path)
                if number >= page.evaluate(f"({FORMS})().length"):
                    break
                evil = EVIL[(len(filled) + number) % len(EVIL)]
                with page.expect_navigation():
                    names = page.evaluate(FILL, [number, evil])
                assert page.evaluate(NOT_THERE), f"{path}: {evil} became part of the page"
                filled |= {f"{kind_of(path)} {name}" for name in names}
        heard += [f"{who}: {line}" for line in heard_here if not line.startswith("Failed to load resource")]
    for who in ("Amina", "Marek", None):
        page = open_context(cast.get(who or "")).new_page()
        heard_here = listen(page)
        for path in pages_of(page, 80):
            page.goto(path)
            assert page.evaluate(NOT_THERE), f"{path}, for {who}: something typed became part of the page"
        heard += [f"{who}: {line}" for line in heard_here if not line.startswith("Failed to load resource")]
    assert not heard, "\n".join(heard)
    record_property(
        "figures", f"{len(filled)} text fields were filled in with markup, scripts and formulas: none ran"
    )
    assert len(filled) >= 25, sorted(filled)
