"""The pages that belong to no room."""

from __future__ import annotations

import pytest

from coproduce.people.permissions import TABLE
from coproduce.site.home import _SAYS

pytestmark = pytest.mark.django_db


def test_everybody_can_read_who_may_do_what(client):
    assert set(_SAYS) == set(TABLE), "a row of the table has no words for people, or the other way round"
    page = client.get("/who-may-do-what/").content.decode()
    assert page.count("<tr") == len(TABLE) + 1
    row = page.split("Read everything said in the group")[1].split("</tr>")[0]
    assert "curator, facilitator" in row and "coordinator" not in row
    row = page.split("See that everybody hears it")[1].split("</tr>")[0]
    assert "facilitator, coordinator\u00a0*" in row
