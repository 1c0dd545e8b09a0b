from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coproduce.changes.wording import compare

BEFORE = "The provider shall allocate a support worker to each service user."
AFTER = "The provider shall let each person choose one worker they trust, who stays."


@given(st.text(), st.text())
def test_put_together_the_parts_give_each_wording_again(before, after):
    was, now = compare(before, after)
    assert "".join(text for text, _changed in was) == before
    assert "".join(text for text, _changed in now) == after


@given(st.text())
def test_the_same_wording_has_no_change(text):
    assert not any(changed for parts in compare(text, text) for _text, changed in parts)


def test_what_is_new_is_marked_in_whole_phrases():
    _was, now = compare(BEFORE, AFTER + " " + BEFORE)
    changed = [text.strip() for text, new in now if new]
    assert len(changed) == 1
    assert "choose one worker they trust" in changed[0]
