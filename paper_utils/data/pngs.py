"""PNG files of the published size, read strictly: what is damaged, or would be read as another image, is refused.

Pillow passes over wrong checksums and missing ends, squeezes 16 bits into 8, and drops transparency as if it were not
there. Here every chunk's CRC-32, the end mark and the checksum of the compressed pixels must be right.
"""

import io
import zlib
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from ..errors import CompanionError
from ..files import other_than_file
from .render import MODEL_SIZE, PUBLISHED_SIZE
from .resizing import FILTERS, Resizing

__all__ = ["png_parts", "read_image"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {2: 3, 3: 1, 6: 4}  # by colour type: RGB, palette, RGBA
GREY = (0, 4)
ONCE = (b"IHDR", b"PLTE", b"tRNS")
ANIMATED = {b"acTL", b"fcTL", b"fdAT"}
PLAIN = ((0, 0, 1, 1),)  # passes over an image: first row and column, and steps to the next
ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
MOST = PUBLISHED_SIZE[0] * (PUBLISHED_SIZE[1] * 4 + 8)  # bytes of an image, with those that say how rows are filtered
REMEDY = "replace it by the original"


def read_image(path: Path, *, size: tuple[int, int] = MODEL_SIZE, resizing: Resizing = "bicubic") -> np.ndarray:
    """Return an image file's pixels, resized to `size` (rows, columns), (rows, columns, 3) uint8.

    What is transparent shows white, as it does on a page.

    Raises:
        CompanionError: the file is missing, damaged, not to be read, or no PNG of 640 x 480 pixels in RGB, RGBA or palette of 8 bits.
    """
    try:
        if other := other_than_file(path):
            raise ValueError(f"it is {other}, not a file")
        content = path.read_bytes()
        check_png(content)
        with PngImageFile(io.BytesIO(content)) as opened:  # Image.open would hide why a part is refused
            return np.asarray(_on_white(opened).resize(size[::-1], FILTERS[resizing]))
    except _NotPublishedError as error:
        raise CompanionError(f"{path} {error}; {REMEDY}") from None
    except (OSError, SyntaxError, ValueError, IndexError) as error:  # what Pillow raises for missing and damaged files
        remedy = "change its permissions" if isinstance(error, PermissionError) else REMEDY
        raise CompanionError(f"cannot read the image {path}: {_reason(error)}; {remedy}") from error


def _reason(error: Exception) -> str:
    if isinstance(error.__cause__ or error, IndexError):
        return "one of its parts is too short"
    return getattr(error, "strerror", None) or str(error)


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode == "P" and (not image.palette or np.asarray(image).max() >= len(image.palette.palette) // 3):
        raise ValueError("its palette lacks a colour")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if np.asarray(image)[..., 3].min() < 255:
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


class _NotPublishedError(Exception):
    """A whole PNG file, of another size or kind."""


def check_png(content: bytes) -> None:
    """Raise ValueError for the bytes of a damaged PNG file, and another error for one of another size or kind."""
    parts = png_parts(content)
    names = [name for name, _ in parts]
    kind, expected = _check_header(*parts[0])
    if ANIMATED & set(names):
        raise _NotPublishedError("is animated, not one image")
    before = names[: names.index(b"IDAT")] if b"IDAT" in names else names
    for name in ONCE:
        if names.count(name) > min(1, before.count(name)):  # readers differ in which they take
            raise ValueError(f"its part {name.decode()!r} is there twice or behind the pixels")
    _check_colours(kind, dict(parts))
    _check_pixels(b"".join(data for name, data in parts if name == b"IDAT"), expected)


def png_parts(content: bytes) -> list[tuple[bytes, bytes]]:
    """Return names and data of a PNG file's parts; raise ValueError unless all are whole and the last is its end."""
    if not content.startswith(SIGNATURE):
        raise ValueError("it is no PNG file" if content else "it is empty")
    parts: list[tuple[bytes, bytes]] = []
    position = len(SIGNATURE)
    while position < len(content):
        length, name = int.from_bytes(content[position : position + 4]), content[position + 4 : position + 8]
        data, end = content[position + 8 : position + 8 + length], position + 12 + length
        if end > len(content):
            raise ValueError("it is cut off")
        if zlib.crc32(name + data) != int.from_bytes(content[end - 4 : end]):
            raise ValueError(f"the checksum of its part {name.decode('latin-1')!r} at byte {position} is wrong")
        parts.append((name, data))
        position = end
        if name == b"IEND":
            break
    if not parts or parts[-1][0] != b"IEND":
        raise ValueError("it is cut off")
    if position < len(content):
        raise ValueError(f"{len(content) - position:,} bytes follow its end")
    return parts


def _check_header(name: bytes, data: bytes) -> tuple[int, int]:
    """Return the colour type, and how many bytes the pixels have, with one a row of each pass that says how it is filtered."""
    if name != b"IHDR" or len(data) != 13:
        raise ValueError("it has no header")
    columns, rows, bits, kind = int.from_bytes(data[:4]), int.from_bytes(data[4:8]), data[8], data[9]
    if (rows, columns) != PUBLISHED_SIZE:
        raise _NotPublishedError(f"has {columns} x {rows} pixels, not {PUBLISHED_SIZE[1]} x {PUBLISHED_SIZE[0]}")
    if kind in GREY:
        raise _NotPublishedError("is grey, without the colours that show the intensity")
    if kind not in CHANNELS:
        raise _NotPublishedError(f"has colour type {kind}, which is unknown")
    if bits != 8:
        raise _NotPublishedError(f"has {bits} bits a channel, not 8")
    if data[10] or data[11] or data[12] > 1:
        raise ValueError("its header names a compression, filter or interlacing that is unknown")
    return kind, sum(
        len(range(top, rows, down)) * (1 + len(range(left, columns, across)) * CHANNELS[kind])
        for top, left, down, across in (ADAM7 if data[12] else PLAIN)
    )


def _check_colours(kind: int, parts: dict[bytes, bytes]) -> None:
    """Raise ValueError for a palette or a transparency, if there is one, of a length that it cannot have."""
    palette, transparency = parts.get(b"PLTE"), parts.get(b"tRNS")
    if palette is not None and (len(palette) % 3 or not 3 <= len(palette) <= 3 * 256):
        raise ValueError(f"its palette has {len(palette)} bytes, not three for each of 1 to 256 colours")
    fitting = {2: [6], 3: range(1, len(palette or b"") // 3 + 1)}.get(kind, [])
    if transparency is not None and len(transparency) not in fitting:
        raise ValueError(f"its part 'tRNS' has {len(transparency)} bytes, which colour type {kind} cannot have")


def _check_pixels(compressed: bytes, expected: int) -> None:
    """Raise ValueError unless the pixels are compressed whole: zlib's own checksum stands at their end."""
    inflater = zlib.decompressobj()
    try:
        found = len(inflater.decompress(compressed, MOST))
    except zlib.error as error:
        raise ValueError(f"its pixels are damaged ({error})") from error
    if not inflater.eof or found != expected:
        raise ValueError("its pixels are not whole")
    if inflater.unused_data:
        raise ValueError(f"{len(inflater.unused_data):,} bytes follow its pixels")
