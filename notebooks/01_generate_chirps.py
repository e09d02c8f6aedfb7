# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     notebook_metadata_filter: kernelspec,jupytext,-jupytext.text_representation.jupytext_version
#     cell_metadata_filter: tags,-all
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 1 · Chirps on distorted pictures
#
# The paper fine-tunes a Vision Transformer on pictures of spectrograms. Each holds one *chirp*, a line that rises or
# falls in frequency, in noise. Around the plot stand things that say nothing about the chirp: a frame, ticks, axis
# labels, a title, a colour bar. What does such a picture look like, and where in it is what?

# %% tags=["parameters"]
profile = "laptop"
source = "reference"  # the shipped results; "fresh" computes everything from seeds
backbone = None  # the profile's own

# %%
# %matplotlib inline
import numpy as np

from paper_utils import chirps, dataset, figures, rendering
from paper_utils.runs import Run

run = Run(profile, source, notebook="01_generate_chirps", backbone=backbone)
seed = dataset.split_seed(run.profile.seed, "test")

# %% [markdown]
# ## What is drawn
#
# A chirp is six numbers. The model will be asked for three of them: start time, start frequency and end frequency.
# A seed and an index fix all six and the noise, so a data set needs no disk.

# %%
chirp, rng = chirps.draw_chirp(seed, 3)
print(f"{chirp.kind} chirp, starts at {chirp.start_time:.1f} s and lasts {chirp.duration:.1f} s,")
print(f"from {chirp.start_frequency:.1f} Hz to {chirp.end_frequency:.1f} Hz, noise level {chirp.noise_level:.2f}")

# %% [markdown]
# ## Figure 2: fifteen samples
#
# The same distributions as in the published generator: chirps of 1 to 15 s, sweeps of at most 30 Hz either way,
# linear and exponential alike, noise between 0.09 and 0.3 of the line's height. Over each picture: its kind, its
# duration and its noise level.

# %%
full_size = [dataset.sample(seed, index, size=(480, 640), with_regions=False) for index in range(15)]
captions = [f"{c.kind}, {c.duration:.0f} s, {c.noise_level:.2f}" for c, _ in full_size]
figure_2 = figures.spectrogram_samples(np.stack([picture.pixels for _, picture in full_size]), captions)
run.save(figure_2, "figure_2")
figure_2

# %% [markdown]
# ## Where things are
#
# Because the pictures are drawn here, every pixel's region is known. This is what later tells a head that looks at
# the title from one that looks at the upper edge of the picture. The model sees pictures of 224 x 224 pixels.

# %%
samples = [dataset.sample(seed, index) for index in range(15)]
_, picture = samples[3]
region_map = figures.region_map(picture.pixels, picture.regions, rendering.REGIONS)
region_map

# %% [markdown]
# How much of a picture is chirp? Very little: most patches of the 14 x 14 grid hold none of it.

# %%
coverage = np.stack([rendering.patch_coverage(picture.regions) for _, picture in samples]).mean(0)
shares = {name: coverage[rendering.REGIONS.index(name)].mean() for name in ("chirp", "background", "margin", "title")}
for name, share in shares.items():
    print(f"{name:11} {100 * share:5.1f} % of the picture")

# %% [markdown]
# ## What the pictures cannot tell
#
# The published generator clips end frequencies to 0 and 100 Hz, and lets an exponential chirp that ends in the
# lowest bin fall there after its first step. Such pictures carry labels that are hard or impossible to read off.

# %%
many = [chirps.draw_chirp(seed, index)[0] for index in range(5000)]
end_bins = np.array([int(c.end_frequency * chirps.BINS / chirps.MAX_FREQUENCY) for c in many])
exponential = np.array([c.kind == "exponential" for c in many])
clipped_low = np.mean([c.end_frequency == 0 for c in many])
clipped_high = np.mean([c.end_frequency == chirps.MAX_FREQUENCY for c in many])
fallen = np.mean(exponential & (end_bins == 0))
print(f"end frequency clipped to 0 Hz: {100 * clipped_low:.1f} %, to 100 Hz: {100 * clipped_high:.1f} %")
print(f"exponential chirps that fall to the bottom at once: {100 * fallen:.1f} %")
run.record(
    {
        "pictures.chirp_share_percent": 100 * float(shares["chirp"]),
        "pictures.end_clipped_low_percent": 100 * float(clipped_low),
        "pictures.end_clipped_high_percent": 100 * float(clipped_high),
        "pictures.exponential_fallen_percent": 100 * float(fallen),
    }
)

# %% [markdown]
# Made with:

# %%
print(run.origin())
