"""Every page of the demo town, found by following its links, as each of the cast would see it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from coproduce.people.models import Person
from coproduce.site import demo
from tests.journeys.conftest import look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MOST = 80  # pages a reader: enough for one of every kind, and several of most
SKIP = re.compile(r"^/(account/logout|try|static)|/file/$|\.(pdf|json)$|[?&](page|state|words)=")
LIGHTS = {"Amina": "light", "Lee": "dark", "Marek": "light", "Joan": "dark", "Ify": "dark", None: "light"}


def kind_of(path: str) -> str:
    return re.sub(r"\d+", "N", path.split("?")[0])


@pytest.mark.parametrize("name", LIGHTS)
def test_every_page_can_be_reached_read_and_used(name, open_context, live_server):
    """No broken link, no server error, nothing axe objects to, nothing wider than a 320 px screen."""
    demo.load_once()
    person = Person.objects.get(name=name) if name else None
    context = open_context(person, color_scheme=LIGHTS[name], viewport={"width": 320, "height": 640})
    page = context.new_page()
    spoken: list[str] = []
    page.on(
        "console", lambda line: spoken.append(f"{page.url}: {line.text}") if line.type == "error" else None
    )
    page.on("pageerror", lambda error: spoken.append(f"{page.url}: {error}"))
    waiting, seen, kinds, found = ["/"], {"/"}, dict[str, int](), list[str]()
    while waiting and sum(kinds.values()) < MOST:
        path = waiting.pop(0)
        if kinds.get(kind_of(path), 0) >= 2:
            continue
        kinds[kind_of(path)] = kinds.get(kind_of(path), 0) + 1
        answer = page.goto(path)
        assert answer is not None
        if answer.status != 200:
            found.append(f"{path}: answered {answer.status}")
            continue
        found += look(page)
        for link in page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)"):
            parts = urlsplit(link)
            where = parts.path + (f"?{parts.query}" if parts.query else "")
            if link.startswith(live_server.url) and where not in seen and not SKIP.search(where):
                seen.add(where)
                waiting.append(where)
    assert not found + spoken, "\n".join(found + spoken)
    assert len(kinds) >= (12 if name in ("Amina", "Ify") else 5), f"only these were found: {sorted(kinds)}"
