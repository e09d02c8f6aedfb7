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
# # 1 · Chirps on distorted images
#
# The paper fine-tunes a Vision Transformer on images of spectrograms. Each holds one *chirp*, a line that rises or
# falls in frequency, in noise. Around the plot stand things that say nothing about the chirp: a frame, ticks, axis
# labels, a title, a colour bar. What does such a image look like, and where in it is what?

# %% tags=["parameters"]
profile = "laptop"
source = "reference"  # the shipped results; "fresh" computes everything from seeds
backbone = None  # the profile's own

# %%
# %matplotlib inline
import numpy as np

from paper_utils.data import chirps, counterfactuals, dataset, regions
from paper_utils.data import render as rendering
from paper_utils.pipeline.run import Run
from paper_utils.plots import images as figures

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
# linear and exponential alike, noise between 0.09 and 0.3 of the line's height. Over each image: its kind, its
# duration and its noise level.

# %%
full_size = [dataset.sample(seed, index, size=(480, 640), with_regions=False) for index in range(15)]
captions = [f"{c.kind}, {c.duration:.0f} s, {c.noise_level:.2f}" for c, _ in full_size]
figure_2 = figures.spectrogram_samples(np.stack([image.pixels for _, image in full_size]), captions)
run.save(figure_2, "figure_2")
figure_2

# %% [markdown]
# ## Where things are
#
# Because the images are drawn here, every pixel's region is known. This is what later tells a head that looks at
# the title from one that looks at the upper edge of the image. The model sees images of 224 x 224 pixels.

# %%
samples = [dataset.sample(seed, index) for index in range(15)]
_, image = samples[3]
region_map = figures.region_map(image.pixels, image.regions, regions.REGIONS)
region_map

# %% [markdown]
# How much of a image is chirp? Very little: most patches of the 14 x 14 grid hold none of it.

# %%
coverage = np.stack([regions.patch_coverage(image.regions) for _, image in samples]).mean(0)
shares = {name: coverage[regions.REGIONS.index(name)].mean() for name in ("chirp", "background", "margin", "title")}
for name, share in shares.items():
    print(f"{name:11} {100 * share:5.1f} % of the image")

# %% [markdown]
# ## The same chirp in other images
#
# Does a head see the title, or is it in the habit of looking at the upper edge? To ask that, one thing is changed and
# all else stays as it is, noise included.

# %%
chirp, rng = chirps.draw_chirp(seed, 3)
intensity, title = chirps.spectrogram(chirp, rng), rendering.title_of(3, chirp)
variants = [counterfactuals.draw_variant(name, chirp, intensity, title).pixels for name in counterfactuals.VARIANTS]
panel = figures.variant_panel(np.stack(variants), [variant.says for variant in counterfactuals.VARIANTS.values()])
run.save(panel, "variants")
panel

# %% [markdown]
# ## What the images cannot tell
#
# The published generator clips end frequencies to 0 and 100 Hz, lets an exponential chirp that ends in the lowest bin
# fall there after its first step, and stops the line one bin short of its end, which for the shortest chirps is half
# of the sweep. Such images carry labels that are hard or impossible to read off.

# %%
many = [chirps.draw_chirp(seed, index)[0] for index in range(5000)]
shares_on_edge = {name: 100 * mask.mean() for name, mask in oracle.on_edge(many).items()}
for name, share in shares_on_edge.items():
    print(f"{name:60} {share:4.1f} % of the images")

# %% [markdown]
# Notebook 2 says what they cost.

# %%
run.record(
    {"images.chirp_share_percent": 100 * float(shares["chirp"])}
    | {f"images.on_edge_percent.{name}": float(share) for name, share in shares_on_edge.items()}
)

# %% [markdown]
# Made with:

# %%
print(run.origin())
