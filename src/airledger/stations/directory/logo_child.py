"""Decodes a stranger's picture in a child of its own and writes it anew: what leaves is ours, whatever came in.

Run by `logos.make_pictures` under limits. The picture comes by stdin; out go, for each size, its length as four bytes
(big-endian) and a WebP of that size. It ends with 1 where the picture cannot be used, the reason on stdout. It imports
Pillow and nothing of ours.
"""

import io
import struct
import sys
from typing import Any

MOST_BYTES = 2 << 20
MOST_PIXELS = 25_000_000
LEAST_SIDE = 16
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "ICO", "BMP")
SIZES = (64, 128, 256)
QUALITY = 82


def main() -> int:
    """Decode, fit into each square, encode."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    body = sys.stdin.buffer.read(MOST_BYTES + 1)
    try:
        # Formats are named, so that nothing but these decoders ever sees the bytes; of an animation the first frame.
        with Image.open(io.BytesIO(body), formats=FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS or min(opened.size) < LEAST_SIDE:
                return refuse(f"{opened.width} x {opened.height} pixels")
            picture = opened.convert("RGBA")
    except Exception as error:  # noqa: BLE001  decoders raise whatever they like, and all of it means the same
        return refuse(type(error).__name__)
    for size in SIZES:
        written = io.BytesIO()
        fitted(picture, size).save(written, "WEBP", quality=QUALITY, method=4)
        sys.stdout.buffer.write(struct.pack(">I", written.tell()) + written.getvalue())
    return 0


def fitted(picture: Any, size: int) -> Any:
    """Return a picture in the middle of a clear square."""
    from PIL import Image

    scaled = picture.copy()
    scaled.thumbnail((size, size), Image.Resampling.LANCZOS)
    square = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    square.paste(scaled, ((size - scaled.width) // 2, (size - scaled.height) // 2))
    return square


def refuse(why: str) -> int:
    """Say why not."""
    sys.stdout.write(why)
    return 1


if __name__ == "__main__":
    sys.exit(main())
