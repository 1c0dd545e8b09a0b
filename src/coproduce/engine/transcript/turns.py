"""What comes out of a transcript, and what is too big to be one."""

from __future__ import annotations

from dataclasses import dataclass

MAX_BYTES = 20 * 1024 * 1024
"""The largest file that is read, in bytes: some four hundred hours of talk as text."""

MAX_LINES = 1_000_000
"""The most lines that are read: a transcript has fewer, and each costs memory."""

MAX_UNPACKED = 3 * MAX_BYTES
"""The most that the words of a Word file may unpack to, in bytes."""

PAUSE_MS = 2_000
"""Cues that stand this many milliseconds apart, or more, are not one turn."""

LONG_TURN_WORDS = 80
"""Cues whose speaker nobody knows are joined until a sentence ends, or until there are this many words."""

TIME_OF_DAY_MS = 6 * 60 * 60 * 1000
"""No recording is silent for six hours: where the first time in a text is later, it is time on the clock."""


class NotATranscript(ValueError):
    """What was brought has no words to read. The message says what is wrong, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one person said before somebody else spoke.

    text: the words, never empty. One space between words; a blank line (`\\n\\n`) where the source has a
        new paragraph.
    speaker: the label as it is first written in the file, or None where nobody knows.
    start_ms, end_ms: whole milliseconds from the start of the recording, 0 to below 100 hours, `start_ms <=
        end_ms`; None where the file does not say.
    begins, ends: where the words stand in `Transcript.source`, in characters: `source[begins:ends]`.
    """

    text: str
    speaker: str | None
    start_ms: int | None
    end_ms: int | None
    begins: int
    ends: int


@dataclass(frozen=True, slots=True)
class Transcript:
    """A recorded conversation in writing.

    turns: at least one, in the order of the file; at least one has a letter or a digit in it.
    source: the text that the turns point into; see the top of this file.
    format: "text", "vtt", "srt" or "docx".
    encoding: how the bytes were written ("utf-8", "utf-16-le", "windows-1252", …); None for Word.
    """

    turns: tuple[Turn, ...]
    source: str
    format: str
    encoding: str | None

    @property
    def speakers(self) -> tuple[str, ...]:
        """The labels, in order of first appearance."""
        return tuple(dict.fromkeys(turn.speaker for turn in self.turns if turn.speaker is not None))
