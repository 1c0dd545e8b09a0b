"""A mailbox on this machine that speaks as much IMAP (RFC 3501) as is needed to read and empty it."""

from __future__ import annotations

import contextlib
import re
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Kept:
    number: int
    raw: bytes
    flags: set[str] = field(default_factory=set)


class Mailbox(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    dies_at_store = False

    def __init__(self, folders: dict[str, list[bytes]]) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.folders = {
            name: [Kept(number, raw) for number, raw in enumerate(raws, start=1)]
            for name, raws in folders.items()
        }

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"imap://answers:secret@127.0.0.1:{self.port}/INBOX"


class _Session(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        self.wfile.write(b"* OK ready\r\n")
        folder: list[Kept] = []
        while line := self.rfile.readline().decode().strip():
            tag, command, rest = ([*line.split(" ", 2), ""])[:3]
            command = command.upper()
            if command == "UID":
                kind, rest = rest.split(" ", 1)
                command = f"UID {kind.upper()}"
            if command == "CAPABILITY":
                self._say("* CAPABILITY IMAP4rev1")
            elif command == "LOGIN" and rest.replace('"', "") != "answers secret":
                self._say(f"{tag} NO wrong name or password")
                continue
            elif command == "SELECT":
                name = rest.strip('"')
                if name not in self.server.folders:
                    self._say(f"{tag} NO no such folder")
                    continue
                folder = self.server.folders[name]
                self._say(f"* {len(folder)} EXISTS")
            elif command == "UID SEARCH":
                left = [kept for kept in folder if not kept.flags & {r"\Deleted", r"\Flagged"}]
                self._say("* SEARCH " + " ".join(str(kept.number) for kept in left))
            elif command == "UID FETCH":
                number = int(rest.split()[0])
                kept = next(kept for kept in folder if kept.number == number)
                self.wfile.write(
                    f"* 1 FETCH (UID {number} BODY[]<0> {{{len(kept.raw)}}}\r\n".encode() + kept.raw
                )
                self._say(")")
            elif command == "UID STORE":
                if self.server.dies_at_store:
                    return
                number, flag = int(rest.split()[0]), re.search(r"\((.*)\)", rest)[1]
                next(kept for kept in folder if kept.number == number).flags.add(flag)
            elif command == "EXPUNGE":
                folder[:] = [kept for kept in folder if r"\Deleted" not in kept.flags]
            self._say(f"{tag} OK done")
            if command == "LOGOUT":
                return

    def _say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")


@contextlib.contextmanager
def running(folders: dict[str, list[bytes]]) -> Iterator[Mailbox]:
    with Mailbox(folders) as box:
        thread = threading.Thread(target=box.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield box
        finally:
            box.shutdown()
            thread.join()
