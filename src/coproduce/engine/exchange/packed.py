"""A zip file that a stranger may have made: read in memory, and never more of it than it may hold."""

from __future__ import annotations

import io
import lzma
import struct
import zipfile
import zlib

from coproduce.engine.exchange.project import NotFromATool

IS_ZIP = (b"PK\3\4", b"PK\5\6")

MOST_FILES = 20_000
MAX_UNPACKED = 64 * 1024 * 1024
"""The most that one file in it may unpack to, in bytes."""
MAX_UNPACKED_ALL = 256 * 1024 * 1024
"""The most that all that is read of it may unpack to together, in bytes."""

BROKEN = "This file is broken, and cannot be opened. Export it again from the tool it was made with."
TOO_BIG = "This file unpacks to far more than it should. Leave recordings and pictures out, or bring a part."
LOCKED = "This file has a password. Export it again without one."


class Packed:
    """The files in a zip file, by name."""

    def __init__(self, data: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, struct.error, NotImplementedError, ValueError, OSError) as error:
            raise NotFromATool(BROKEN) from error
        infos = self._zip.infolist()
        if len(infos) > MOST_FILES:
            raise NotFromATool(TOO_BIG)
        # Tools disagree on capitals ("Sources", "sources"), and some write names as Windows does.
        self._files = {
            info.filename.replace("\\", "/").casefold(): info
            for info in infos
            if info.filename and not info.is_dir()
        }
        self._left = MAX_UNPACKED_ALL

    def find(self, ending: str) -> str | None:
        """The name of the file that ends so; of several the one that lies highest."""
        found = [
            name
            for name in self._files
            if name.rpartition("/")[2].endswith(ending) and "__macosx/" not in name
        ]
        return min(found, key=lambda name: (name.count("/"), name), default=None)

    def __contains__(self, name: str) -> bool:
        return name.casefold() in self._files

    def read(self, name: str) -> bytes:
        """Raises NotFromATool if it is too big, locked, broken or not there."""
        info = self._files.get(name.casefold())
        if info is None:
            raise NotFromATool(BROKEN)
        if info.flag_bits & 1:
            raise NotFromATool(LOCKED)
        self._left -= info.file_size
        if info.file_size > MAX_UNPACKED or self._left < 0:
            raise NotFromATool(TOO_BIG)
        try:
            # zipfile never unpacks more than the size that was just looked at.
            return self._zip.read(info)
        except (
            zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, NotImplementedError, OSError,
            RuntimeError, ValueError,
        ) as error:  # fmt: skip
            raise NotFromATool(BROKEN) from error
