"""Take the pictures in this folder from the demo town.

PORT=8123 ./run demo --fresh > /tmp/town & then: .venv/bin/python docs/take_pictures.py /tmp/town
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1040, "height": 900}
# name, who looks, page (and the links to follow from there, with > between), size of the screen, how much of the page
# in pixels (None: all of it)
PICTURES = [
    ("thread", "Lee", "/changes/1/", DESK, 1500),
    ("today", "Amina", "/", DESK, 1100),
    ("1-a-story", "Ify", "/stories/1/", PHONE, 1500),
    ("2-who-speaks", "Ify", "/stories/1/?step=who", PHONE, 1300),
    ("3-a-quote", "Ify", "/stories/turns/6/", PHONE, None),
    ("4-themes", "Ify", "/themes/", PHONE, 1500),
    ("5-a-topic", "Lee", "/topics/1/", PHONE, 1500),
    ("6-the-thread-on-a-phone", "Lee", "/changes/1/", PHONE, 1900),
    ("7-telling-everyone", "Amina", "/changes/3/tell/", PHONE, None),
    ("8-calls", "Amina", "/who-has-heard/to-tell/phone/", PHONE, 1400),
    ("9-what-you-said-what-happened", "Lee", "/what-happened/", PHONE, 1700),
    ("10-the-agenda", "Lee", "/topics/", PHONE, 1500),
    ("11-a-meeting", "Amina", "/meetings/ > Meeting on", PHONE, 1500),
]


def main() -> None:
    printed = Path(sys.argv[1]).read_text(encoding="utf-8")
    links = dict(re.findall(r"^  (\S+) +(http://\S+/try/\S+)", printed, re.MULTILINE))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for name, who, path, size, height in PICTURES:
            context = browser.new_context(viewport=size, java_script_enabled=True)  # type: ignore[arg-type]
            page = context.new_page()
            page.goto(links[who])
            start, *following = path.split(" > ")
            page.goto(re.sub(r"(http://[^/]+).*", r"\1", links[who]) + start)
            for link in following:
                page.get_by_role("main").get_by_role("link", name=re.compile(link)).first.click()
            page.wait_for_load_state("networkidle")
            full = page.evaluate("document.documentElement.scrollHeight")
            clip = {"x": 0, "y": 0, "width": size["width"], "height": min(full, height or full)}
            page.screenshot(path=HERE / f"{name}.png", full_page=True, clip=clip)  # type: ignore[arg-type]
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
