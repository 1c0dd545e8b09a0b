"""Pictures that people add to a word: drawn anew, so that nothing comes along that cannot be seen.

A photo from a phone says where and when it was taken, and a file may hold more than its picture. So each is decoded,
made small and written again; what was uploaded is not kept.
"""

from __future__ import annotations

import io
import warnings

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

LARGEST = 8 * 1024 * 1024
"""Bytes that may be uploaded."""

MOST_PIXELS = 40_000_000
"""More than phones take; a small file may claim far more and fill the memory."""

SIDE = 1000
"""What is kept is no wider and no higher than this, in pixels."""

KINDS = ("PNG", "JPEG", "WEBP")


def drawn_anew(content: bytes) -> bytes:
    """The picture as WebP, upright, within `SIDE`, without anything that is not the picture itself.

    content: a PNG, JPEG or WebP by what is in it, whatever its name. Of a moving one, the first.

    Raises ValidationError where it is too large, or is none of these.
    """
    if len(content) > LARGEST:
        raise ValidationError(
            _("The picture is larger than %(n)d MB. Choose a smaller one.") % {"n": LARGEST // 1024**2}
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # looked at below
            given = Image.open(io.BytesIO(content), formats=KINDS)
            if given.width * given.height > MOST_PIXELS:
                raise ValidationError(
                    _("The picture has too many points (%(width)d × %(height)d). Make it smaller first.")
                    % {"width": given.width, "height": given.height}
                )
            given.draft("RGB", (SIDE, SIDE))
            given.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as wrong:
        raise ValidationError(
            _("This is not a picture that we can read. Choose a PNG, JPEG or WebP file.")
        ) from wrong
    upright = ImageOps.exif_transpose(given)
    upright.thumbnail((SIDE, SIDE))
    clean = Image.new("RGBA" if upright.has_transparency_data else "RGB", upright.size)
    clean.paste(upright.convert(clean.mode))
    out = io.BytesIO()
    clean.save(out, "WEBP", quality=82)
    return out.getvalue()
