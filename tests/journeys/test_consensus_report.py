"""The page that `coproduce consensus` writes, opened as people open it: from a file, on a phone, light and dark."""

import numpy as np
import pytest

from coproduce.engine.consensus import Votes, analyse, report
from tests.journeys.conftest import PHONE, listen, look

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, PHONE["width"], 1280])
def test_the_page_can_be_read_by_everyone(browser, tmp_path, scheme, width):
    rng = np.random.default_rng(2)
    person, statement = np.nonzero(rng.random((120, 30)) < 0.8)
    leaning = rng.integers(-1, 2, (3, 30))
    vote = np.where(
        rng.random(len(person)) < 0.85, leaning[person % 3, statement], rng.integers(-1, 2, len(person))
    )
    words = {at: f"We should have number {at}, <b>and</b> soon" for at in range(30)}
    words[5] = "Donaudampfschifffahrtsgesellschaftskapitänswitwenrentenauszahlungsstelle"
    page_of = report.page(analyse(Votes.from_arrays(person, statement, vote)), title="Buses", words=words)
    (tmp_path / "page.html").write_text(page_of, encoding="utf-8")
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    heard = listen(page)
    address = (tmp_path / "page.html").as_uri()
    page.goto(address)
    assert look(page) == [] and [each for each in heard if each != address] == []
    page.keyboard.press("Tab")  # what is wider than a phone scrolls by keyboard too
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "The map as a table"
    context.close()
