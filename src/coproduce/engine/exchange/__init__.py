"""Work that goes to other tools for making sense of what people said, and comes from them.

`read` takes a file as somebody brings it and tells by what is in it which tool it is from:

- REFI-QDA, which most tools write and read: a codebook (.qdc) or a project (.qdpx); see refi.py
- Taguette's own projects (.sqlite3); see taguette.py
- QualCoder's own projects (.qda, a folder, packed as .zip); see qualcoder.py

Their words are kept in this folder, as those who know these tools use them: a *code* is what a theme is here, a
*source* a text, a *selection* a place in it, and a *coding* says that a selection belongs to a code.

Any bytes at all give a `Project` or a `Codebook`, or raise `NotFromATool`. Nothing is unpacked to disk, nothing that
a file points to outside itself is opened, and a database is only ever asked for the rows of a few tables.
"""

from __future__ import annotations

from coproduce.engine.exchange import qualcoder, refi, taguette
from coproduce.engine.exchange.databases import IS_SQLITE
from coproduce.engine.exchange.packed import IS_ZIP, Packed
from coproduce.engine.exchange.project import Codebook, NotFromATool, Project

MAX_BYTES = 30 * 1024 * 1024
"""The largest file that is read, in bytes."""


def read(data: bytes) -> Project | Codebook:
    """Read what another tool wrote.

    data: the file, at most `MAX_BYTES`.

    Raises NotFromATool where the file is empty, too big, broken, or from no tool that is known here.
    """
    if not data:
        raise NotFromATool("This file is empty. Check that it is the right one, then bring it again.")
    if len(data) > MAX_BYTES:
        raise NotFromATool(
            f"This file is too big: over {MAX_BYTES // 1024 // 1024} MB. Leave recordings and pictures out, or "
            "bring a part of it at a time."
        )
    if data.startswith(IS_SQLITE):
        return taguette.read(data)
    if data.startswith(IS_ZIP):
        packed = Packed(data)
        return qualcoder.read(packed) if packed.find("data.qda") else refi.read_project(packed)
    if data.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n").startswith(b"<"):
        return refi.read_codebook(data)
    raise NotFromATool(
        "This is no file of another tool that we can read. Bring a REFI-QDA file (.qdpx or .qdc), a Taguette "
        "project (.sqlite3), or the folder of a QualCoder project, packed as .zip."
    )
