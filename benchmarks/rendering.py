"""Benchmark of rendering: images per second against the published generator's own loop, and the time of each step."""

import contextlib
import importlib.util
import io
import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from benchmarks.timing import Candidate, interleave
from paper_utils.data import folders
from paper_utils.data.chirps import BINS, draw_chirp, spectrogram
from paper_utils.data.dataset import sample
from paper_utils.data.render import MODEL_SIZE, PUBLISHED_SIZE, canvas_of, draw_image, draw_with_matplotlib, title_of
from paper_utils.files import ROOT

__all__ = ["agreement", "rendering_benchmark", "show"]

SEED = 7
PEER = "chirp_spectrogram_generator"


def published_loop(folder: Path) -> tuple[str, Callable[[int], None]]:
    """Return the name of a loop, and a function that writes so many images: the released package's where installed."""
    if importlib.util.find_spec(PEER):
        import matplotlib as mpl
        from chirp_spectrogram_generator.generator import SpectrogramGenerator

        done = itertools.count(1)

        def released(count: int) -> None:
            generator = SpectrogramGenerator(output_dir=str(folder / f"released{next(done)}"))
            with mpl.rc_context(mpl.rcParamsDefault | {"backend": "agg"}), contextlib.redirect_stdout(io.StringIO()):
                generator.generate_dataset(count)

        return "chirp-spectrogram-generator 0.1.6", released

    def plain(count: int) -> None:
        for index in range(count):
            chirp, rng = draw_chirp(SEED, index)
            pixels = draw_with_matplotlib(spectrogram(chirp, rng), title_of(index, chirp))
            Image.fromarray(pixels).save(folder / f"plain_{index}.png")

    return "the same matplotlib calls, one image after the other", plain


def agreement(count: int) -> dict[str, float | str]:
    """Return the difference of our images from matplotlib's at both sizes, over `count` images, titles of 1 to 6 digits."""
    result: dict[str, float | str] = {}
    for name, size in (("224", MODEL_SIZE), ("640x480", PUBLISHED_SIZE)):
        mean, within = [], []
        for index in range(count):
            chirp, rng = draw_chirp(SEED, index)
            intensity = spectrogram(chirp, rng)
            number = int(np.random.default_rng(index).integers(10 ** (index % 6), 10 ** (index % 6 + 1)))
            title = title_of(number - 1, chirp)
            drawn = Image.fromarray(draw_with_matplotlib(intensity, title))
            plain = np.asarray(drawn.resize(size[::-1], Image.Resampling.BICUBIC), int)
            difference = np.abs(draw_image(chirp, intensity, title, size=size).pixels - plain)
            mean.append(difference.mean())
            within.append((difference <= 8).mean())
        result |= {f"agreement.{name}.mean_difference": float(np.mean(mean))}
        result |= {f"agreement.{name}.worst_mean_difference": float(np.max(mean))}
        result |= {f"agreement.{name}.least_share_within_8": float(np.min(within))}
    return {f"rendering.{key}": value for key, value in result.items()}


def step_candidates(count: int) -> dict[str, Candidate]:
    """Return the steps of a 224-pixel image; "floor" is noise, smoothing and colour look-up, without which no image is made."""
    canvas = canvas_of(MODEL_SIZE)
    rng = np.random.default_rng(0)
    chirp, _ = draw_chirp(SEED, 0)
    intensity = spectrogram(chirp, rng)
    low, high = intensity.min(), intensity.max()
    titles = itertools.count()

    def floor() -> None:
        smooth = gaussian_filter(rng.standard_normal((BINS, BINS)), 1.0)
        low, high = smooth.min(), smooth.max()
        canvas.colours[((smooth - low) * (255 / (high - low))).astype(np.uint8)]

    steps = {
        "noise": lambda: rng.standard_normal((BINS, BINS)),
        "smoothing": lambda: gaussian_filter(intensity, 1.0),
        "colours_and_resizing": lambda: canvas.draw_plot(intensity, low, high),
        "text": lambda: canvas.draw_lettering(title_of(next(titles) % 99_999, chirp), low, high),
        "floor": floor,
    }

    def repeated(step: Callable[[], object]) -> Callable[[], None]:
        def work() -> None:
            for _ in range(count):
                step()

        return work

    return {f"step.{name}": Candidate(f"step.{name}", repeated(step), count, 1) for name, step in steps.items()}


def rendering_benchmark(*, rounds: int, compared: int = 200) -> dict[str, float | str]:
    """Measure rendering in memory and into files against the published loop, on one core, and return flat keys."""
    numbers = itertools.count()
    for index in range(300):  # fill the caches of letters, digits and ticks, as in any longer run
        sample(SEED, 10_000 + index, with_regions=False)
        sample(SEED, 10_000 + index, size=PUBLISHED_SIZE, with_regions=False)
    with tempfile.TemporaryDirectory(dir=ROOT) as name:
        folder = Path(name)
        peer, loop = published_loop(folder)

        def in_memory() -> None:
            for _ in range(100):
                sample(SEED, 20_000 + next(numbers), with_regions=False)

        def into_files() -> None:
            folders.write_folder(folder / f"ours{next(numbers)}", 32, seed=SEED)

        candidates = {
            "memory": Candidate("memory", in_memory, 100, 1),
            "png": Candidate("png", into_files, 32, 1),
            "published_loop": Candidate("published_loop", lambda: loop(8), 8, 1),
        } | step_candidates(100)
        rate = interleave(list(candidates.values()), rounds=rounds)
    result: dict[str, float | str] = {f"{name}.images_per_second": value for name, value in rate.items()}
    for name in rate:
        if name.startswith("step."):
            result[f"{name}.share"] = rate["memory"] / rate[name]
    result |= {
        "speedup_memory": rate["memory"] / rate["published_loop"],
        "speedup_png": rate["png"] / rate["published_loop"],
    }
    result["peer"] = peer
    return {f"rendering.{key}": value for key, value in result.items()} | agreement(compared)


def show(results: dict) -> None:
    """Print the rendering numbers as a table."""
    print(f"rendering, one core, against {results['rendering.peer']}")
    for name, title in (
        ("published_loop", "published loop"),
        ("png", "ours, PNG of 640 x 480"),
        ("memory", "ours, 224, in memory"),
    ):
        print(f"  {title:28} {results[f'rendering.{name}.images_per_second']:10.1f} images/s")
    print(
        f"  {results['rendering.speedup_memory']:.0f} times as fast in memory, {results['rendering.speedup_png']:.1f} times in files"
    )
    for key, value in results.items():
        if key.startswith("rendering.step.") and key.endswith(".share"):
            print(f"  {key.split('.')[2].replace('_', ' '):28} {value:10.0%} of an image's time")
    for size in ("224", "640x480"):
        mean, least = (
            results[f"rendering.agreement.{size}.{key}"] for key in ("mean_difference", "least_share_within_8")
        )
        print(f"  {size:>8}: mean difference {mean:.2f} of 255, at least {least:.4%} of an image's pixels within 8")
