import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from paper_utils.data.dataset import sample
from paper_utils.data.pngs import read_image
from paper_utils.data.render import PUBLISHED_SIZE
from paper_utils.data.resizing import FILTERS
from paper_utils.errors import CompanionError
from tests.fuzzing import FUZZED

WHOLE = {"size": PUBLISHED_SIZE}


@pytest.fixture(scope="module")
def pixels():
    return sample(9, 1, size=PUBLISHED_SIZE, with_regions=False)[1].pixels


def encoded(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def png(pixels):
    return encoded(Image.fromarray(pixels))


@pytest.fixture
def read(tmp_path):
    """Return a function that reads the bytes of a PNG file."""

    def read(content, **options):
        path = tmp_path / "spectrogram_2.png"
        path.write_bytes(content)
        with warnings.catch_warnings(action="error"):
            return read_image(path, **options)

    return read


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def written_by_hand(header, raw, *others):
    """Return a PNG file of a header and of pixels before compression, each part with the right checksum."""
    parts = [chunk(b"IHDR", header), *others, chunk(b"IDAT", zlib.compress(raw)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


RGB = struct.pack(">IIBBBBB", 640, 480, 8, 2, 0, 0, 0)
PALETTE = struct.pack(">IIBBBBB", 640, 480, 8, 3, 0, 0, 0)


@pytest.mark.parametrize("resizing", FILTERS)
def test_rgb_opaque_rgba_and_palette_are_what_pillow_reads(read, pixels, resizing):
    image = Image.fromarray(pixels)
    opaque = image.copy()
    opaque.putalpha(255)
    for one in (image, opaque, image.quantize(256)):
        expected = np.asarray(one.convert("RGB").resize((224, 224), FILTERS[resizing]))
        assert np.array_equal(read(encoded(one), resizing=resizing), expected)


def test_what_is_transparent_shows_white(read, pixels):
    hidden = np.zeros((*PUBLISHED_SIZE, 4), np.uint8)  # black, and not to be seen
    hidden[60:420, 80:560, :3], hidden[60:420, 80:560, 3] = pixels[60:420, 80:560], 255
    found = read(encoded(Image.fromarray(hidden)), **WHOLE)
    assert (found[:60] == 255).all()
    assert np.array_equal(found[60:420, 80:560], pixels[60:420, 80:560])
    half = np.full((*PUBLISHED_SIZE, 4), (0, 100, 200, 51), np.uint8)  # a fifth
    assert np.array_equal(read(encoded(Image.fromarray(half)), **WHOLE)[0, 0], [204, 224, 244])


def test_a_transparent_colour_of_an_rgb_or_palette_shows_white(read, pixels):
    image = Image.fromarray(pixels)
    colour = tuple(int(value) for value in pixels[240, 200])
    shown = read(encoded(image, transparency=colour), **WHOLE)
    hidden = (pixels == colour).all(-1)
    assert hidden.any()
    assert (shown[hidden] == 255).all()
    assert np.array_equal(shown[~hidden], pixels[~hidden])
    few = image.quantize(100)
    shown = read(encoded(few, transparency=3), **WHOLE)
    assert (shown[np.asarray(few) == 3] == 255).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda image: image.convert("L"), "is grey, without the colours"),
        (lambda image: image.convert("LA"), "is grey, without the colours"),
        (lambda image: image.convert("L").convert("I;16"), "is grey, without the colours"),
        (lambda image: image.convert("1"), "is grey, without the colours"),
        (lambda image: image.quantize(4), "has 2 bits a channel, not 8"),
        (lambda image: image.resize((224, 224)), "has 224 x 224 pixels, not 640 x 480"),
    ],
)
def test_what_would_be_read_as_another_image_is_refused(read, pixels, change, message):
    with pytest.raises(CompanionError, match=rf"spectrogram_2\.png {message}.*replace it by the original"):
        read(encoded(change(Image.fromarray(pixels)), bits=2))


def test_a_huge_image_is_refused_before_it_is_unpacked(read):
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    with pytest.raises(CompanionError, match="has 30000 x 30000 pixels, not 640 x 480"):
        read(written_by_hand(header, b""))
    with pytest.raises(CompanionError, match="its pixels are not whole"):
        read(written_by_hand(RGB, bytes(10**8)))


def test_what_follows_the_pixels_in_their_part_is_refused(read, pixels):
    raw = b"".join(b"\0" + row.tobytes() for row in pixels)
    assert np.array_equal(read(written_by_hand(RGB, raw), **WHOLE), pixels)
    behind = chunk(b"IHDR", RGB) + chunk(b"IDAT", zlib.compress(raw) + b"junk") + chunk(b"IEND", b"")
    with pytest.raises(CompanionError, match="4 bytes follow its pixels"):
        read(b"\x89PNG\r\n\x1a\n" + behind)


def test_sixteen_bits_and_animations_are_refused(read, pixels):
    wide = struct.pack(">IIBBBBB", 640, 480, 16, 2, 0, 0, 0)
    with pytest.raises(CompanionError, match="has 16 bits a channel, not 8"):
        read(written_by_hand(wide, bytes(480 * (1 + 640 * 6))))
    image = Image.fromarray(pixels)
    with pytest.raises(CompanionError, match="is animated, not one image"):
        read(encoded(image, save_all=True, append_images=[image.rotate(180)]))


def test_a_jpeg_under_the_name_of_a_png_is_refused(read, pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG")
    with pytest.raises(CompanionError, match="cannot read the image .*: it is no PNG file"):
        read(buffer.getvalue())


INTERLACED = struct.pack(">IIBBBBB", 640, 480, 8, 2, 0, 0, 1)


def passes(pixels):
    """Return the bytes of the seven passes of Adam7: the standard's table of which pixel of 8 x 8 comes in which."""
    table = np.array(
        [
            [1, 6, 4, 6, 2, 6, 4, 6],
            [7, 7, 7, 7, 7, 7, 7, 7],
            [5, 6, 5, 6, 5, 6, 5, 6],
            [7, 7, 7, 7, 7, 7, 7, 7],
            [3, 6, 4, 6, 3, 6, 4, 6],
            [7, 7, 7, 7, 7, 7, 7, 7],
            [5, 6, 5, 6, 5, 6, 5, 6],
            [7, 7, 7, 7, 7, 7, 7, 7],
        ]
    )
    turn = np.tile(table, (60, 80))
    rows = [[row[turns == number] for row, turns in zip(pixels, turn, strict=True)] for number in range(1, 8)]
    return [b"".join(b"\0" + row.tobytes() for row in each if len(row)) for each in rows]


def test_a_whole_interlaced_image_is_read(read, pixels):
    content = written_by_hand(INTERLACED, b"".join(passes(pixels)))
    assert Image.open(io.BytesIO(content)).info["interlace"] == 1
    assert np.array_equal(read(content, **WHOLE), pixels)
    index = pixels[..., :1]
    palette = chunk(b"PLTE", bytes(range(256)) * 3)
    header = struct.pack(">IIBBBBB", 640, 480, 8, 3, 0, 0, 1)
    found = read(written_by_hand(header, b"".join(passes(index)), palette), **WHOLE)
    assert np.array_equal(found, np.frombuffer(bytes(range(256)) * 3, np.uint8).reshape(256, 3)[index[..., 0]])


@pytest.mark.parametrize("count", [1, 3, 6])
def test_an_interlaced_image_that_lacks_passes_is_refused(read, pixels, count):
    with pytest.raises(CompanionError, match="its pixels are not whole"):
        read(written_by_hand(INTERLACED, b"".join(passes(pixels)[:count])))


def test_an_interlaced_image_of_more_bytes_than_its_passes_is_refused(read, pixels):
    with pytest.raises(CompanionError, match="its pixels are not whole"):
        read(written_by_hand(INTERLACED, b"".join(passes(pixels)) + bytes(1921)))


@pytest.mark.parametrize("rows", [479, 481])
def test_pixels_that_are_fewer_or_more_than_the_header_says_are_refused(read, rows):
    with pytest.raises(CompanionError, match="its pixels are not whole"):
        read(written_by_hand(RGB, bytes(rows * (1 + 640 * 3))))


def test_a_colour_that_the_palette_lacks_is_refused(read):
    raw = bytearray(480 * 641)
    colours = chunk(b"PLTE", bytes([255, 0, 0, 0, 255, 0]))
    assert (read(written_by_hand(PALETTE, bytes(raw), colours), **WHOLE)[0, 0] == [255, 0, 0]).all()
    raw[1] = 2
    with pytest.raises(CompanionError, match="palette"):
        read(written_by_hand(PALETTE, bytes(raw), colours))
    with pytest.raises(CompanionError, match="cannot read the image"):
        read(written_by_hand(PALETTE, bytes(raw)))


def header(columns, rows, kind=2):
    return struct.pack(">IIBBBBB", columns, rows, 8, kind, 0, 0, 0)


@pytest.mark.parametrize("second", [header(1, 1), header(640, 240), header(20_000, 20_000), RGB, header(640, 480, 0)])
def test_a_second_header_is_refused(read, second):
    """Pillow takes the size of the last one before the pixels."""
    raw = bytes(480 * (1 + 640 * 3))
    with pytest.raises(CompanionError, match="cannot read the image .*: its part 'IHDR' is there twice"):
        read(written_by_hand(RGB, raw, chunk(b"IHDR", second)))


def test_a_second_palette_or_one_behind_the_pixels_is_refused(read):
    raw, one, other = bytes(480 * 641), chunk(b"PLTE", bytes([255, 0, 0])), chunk(b"PLTE", bytes([0, 0, 255]))
    assert (read(written_by_hand(PALETTE, raw, one), **WHOLE) == [255, 0, 0]).all()
    behind = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", PALETTE) + chunk(b"IDAT", zlib.compress(raw)) + one
    for content in (written_by_hand(PALETTE, raw, one, other), behind + chunk(b"IEND", b"")):
        with pytest.raises(CompanionError, match="its part 'PLTE' is there twice or behind the pixels"):
            read(content)


@pytest.mark.parametrize("length", [0, 4, 767, 769, 771])
def test_a_palette_of_broken_colours_or_too_many_is_refused(read, length):
    for content in (
        written_by_hand(PALETTE, bytes(480 * 641), chunk(b"PLTE", bytes(length))),
        written_by_hand(RGB, bytes(480 * 1921), chunk(b"PLTE", bytes(length))),
    ):
        with pytest.raises(CompanionError, match=f"its palette has {length} bytes, not three for each of 1 to 256"):
            read(content)


@pytest.mark.parametrize(
    ("kind", "channels", "length"), [(2, 3, 5), (2, 3, 7), (2, 3, 0), (3, 1, 0), (3, 1, 3), (6, 4, 6), (6, 4, 1)]
)
def test_a_transparency_that_the_colour_type_cannot_have_is_refused(read, kind, channels, length):
    parts = [chunk(b"PLTE", bytes(6))] if kind == 3 else []
    content = written_by_hand(
        header(640, 480, kind), bytes(480 * (1 + 640 * channels)), *parts, chunk(b"tRNS", bytes(length))
    )
    with pytest.raises(CompanionError, match=f"'tRNS' has {length} bytes, which colour type {kind} cannot have"):
        read(content)


@pytest.mark.parametrize(
    ("name", "data"),
    [(b"fcTL", struct.pack(">IIIIIHHBB", 0, 640, 240, 0, 0, 1, 1, 0, 0)), (b"fdAT", bytes(4) + b"junk")],
)
def test_parts_of_an_animation_that_is_not_announced_are_refused(read, name, data):
    """Pillow draws the pixels into the rectangle that fcTL names."""
    with pytest.raises(CompanionError, match="is animated, not one image"):
        read(written_by_hand(RGB, bytes(480 * 1921), chunk(name, data)))


@pytest.mark.parametrize("kind", [1, 5, 7])
def test_an_unknown_colour_type_is_called_that(read, kind):
    with pytest.raises(CompanionError, match=rf"spectrogram_2\.png has colour type {kind}, which is unknown"):
        read(written_by_hand(header(640, 480, kind), bytes(480 * 1921)))


@pytest.mark.parametrize("method", [(1, 0, 0), (0, 1, 0), (0, 0, 2)])
def test_an_unknown_method_of_compression_filter_or_interlacing_is_refused(read, method):
    with pytest.raises(CompanionError, match=r"\.png: its header names a compression, .* that is unknown; replace"):
        read(written_by_hand(RGB[:10] + bytes(method), bytes(480 * 1921)))


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        (b"iCCP", b"abc", "Unknown compression method 97 in iCCP chunk"),
        (b"iCCP", b"", "one of its parts is too short"),
        (b"zTXt", b"a\0\1bad", "Unknown compression method 1 in zTXt chunk"),
        (b"a-bc", b"", r"broken PNG file \(chunk b'a-bc'\)"),
    ],
)
def test_a_part_that_pillow_refuses_is_named_and_no_address_in_memory(read, name, data, reason):
    with pytest.raises(CompanionError, match=rf"cannot read the image .*spectrogram_2\.png: {reason}; replace"):
        read(written_by_hand(RGB, bytes(480 * 1921), chunk(name, data)))


def test_an_empty_part_behind_the_pixels_is_no_traceback(read):
    end = chunk(b"IEND", b"")
    content = written_by_hand(RGB, bytes(480 * 1921)).removesuffix(end)
    with pytest.raises(CompanionError, match="one of its parts is too short; replace"):
        read(content + chunk(b"iCCP", b"") + end)


def test_of_an_image_that_may_not_be_read_the_permissions_are_said(tmp_path, monkeypatch):
    def refused(path):  # root may read all, so a mode of 0 would show nothing
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.read_bytes", refused)
    with pytest.raises(CompanionError, match=r"spectrogram_3\.png: Permission denied; change its permissions$"):
        read_image(tmp_path / "spectrogram_3.png")


@pytest.mark.parametrize("tail", [1, 4, 12, 13, 16, 5000])
def test_a_cut_tail_is_refused(read, png, tail):
    with pytest.raises(CompanionError, match="cannot read the image .*: it is cut off"):
        read(png[:-tail])


def test_what_follows_the_end_is_refused(read, png):
    with pytest.raises(CompanionError, match="3 bytes follow its end"):
        read(png + b"abc")


@FUZZED
@given(data=st.data())
def test_no_flipped_bit_passes(read, png, data):
    place = data.draw(st.integers(0, 8 * len(png) - 1))
    damaged = bytearray(png)
    damaged[place // 8] ^= 1 << place % 8
    with pytest.raises(CompanionError, match=r"^(cannot read the image )?\S*spectrogram_2\.png"):
        read(bytes(damaged))
