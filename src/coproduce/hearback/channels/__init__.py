"""One folder for each way of telling somebody that needs more than a page: its transport and its templates.

`email` sends by itself; `letter` makes a PDF that somebody posts. Phone calls, face to face and people's own
pages need nothing but the pages of this room.
"""
