"""What goes on paper: a Typst template of some room and its data, made into a tagged PDF in the project's own type.

Whatever people wrote goes to Typst as data, never as markup, so nothing in it can be mistaken for a command.
"""

from __future__ import annotations

from pathlib import Path

import typst

FONTS = Path(__file__).parent / "fonts"


def to_pdf(template: Path, inputs: dict[str, str]) -> bytes:
    """A PDF/UA-1. Where somebody's words hold a character that no font on this machine can draw, that standard
    can't be met: then the PDF is tagged all the same, and the character is an empty box on paper."""
    try:
        return typst.compile(str(template), sys_inputs=inputs, font_paths=[str(FONTS)], pdf_standards="ua-1")
    except typst.TypstError as error:
        if "could not be displayed with font" not in str(error):
            raise
        return typst.compile(str(template), sys_inputs=inputs, font_paths=[str(FONTS)])
