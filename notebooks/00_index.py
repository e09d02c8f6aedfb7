# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: tags,-all
#     formats: ipynb,py:percent
#     notebook_metadata_filter: kernelspec,jupytext,-jupytext.text_representation.jupytext_version
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
# # The paper, figure by figure
#
# *Mechanistic Interpretability of Fine-Tuned Vision Transformers on Distorted Images*
# ([arXiv 2503.18762](https://arxiv.org/abs/2503.18762)). Each notebook begins with its answer and ends with what to
# believe. All show the results that ship, and run as they are.
#
# | Figure | shows | notebook |
# | --- | --- | --- |
# | 1 | the method, as a flowchart | [3](03_attention_maps.ipynb) |
# | 2 | fifteen images | [1](01_generate_chirps.ipynb) |
# | 3 | start times predicted with and without each head | [5](05_prediction_shift.ipynb) |
# | 4 | the increase of the loss without each head | [4](04_head_ablation.ipynb) |
# | 5 | heads that attend to the chirp alone | [6](06_monosemantic_gallery.ipynb) |
# | 6 | layer 6 head 4 | [3](03_attention_maps.ipynb) |
# | 7 | layer 12 head 12 | [3](03_attention_maps.ipynb) |
# | 8 | early heads that attend to something else alone | [6](06_monosemantic_gallery.ipynb) |
#
# ## In the order of reading
#
# | Notebook | question |
# | --- | --- |
# | [1](01_generate_chirps.ipynb) | What is on the images, and where? |
# | [2](02_finetune_vit.ipynb), [2b](02b_accuracy_and_controls.ipynb) | How well does the fine-tuned model read them, on which images, and what makes it good? |
# | [3](03_attention_maps.ipynb) | What do the two heads attend to that the paper shows? |
# | [4](04_head_ablation.ipynb), [4b](04b_other_ablations.ipynb), [4c](04c_released_protocol.ipynb) | Which heads matter; by other kinds of ablation; by the protocol of the released package? |
# | [5](05_prediction_shift.ipynb) | Where do predictions go without a head? |
# | [6](06_monosemantic_gallery.ipynb), [6b](06b_named_heads.ipynb) | Which heads attend to one thing only, and what of those that the paper names? |
# | [6c](06c_content_or_position.ipynb), [6d](06d_attention_and_effect.ipynb) | Do heads follow content or position, and does attention tell what matters? |
# | [7](07_claims_ledger.ipynb), [7b](07b_another_backbone.ipynb), [7c](07c_published_numbers.ipynb) | Does the paper hold, on another backbone too, and what do its numbers say by themselves? |
#
# Other papers of the author ([7d](07d_other_papers.ipynb) has all verdicts): what images of lines can hold of their
# labels ([8](08_orientation_and_colour.ipynb)) and what a ViT makes of them
# ([8b](08b_what_a_vit_makes_of_them.ipynb), [8c](08c_colour_and_transitions.ipynb)), whether attention scores find
# the nodes that make a system unstable ([9](09_attention_and_stability.ipynb)), and where a language model keeps what
# it knows ([10](10_clap.ipynb), [10b](10b_definitions_and_associations.ipynb)).
#
# `make figures` makes all of them anew, and `explorer.html`, a page of all heads' maps, scores and effects; `make
# report` joins 7 to 7d in one page.
#
# In Colab, which opens one notebook without the rest of the repository, first run in a cell of each notebook
# `!git clone --depth 1 ADDRESS /content/companion`, `%pip install -q -r /content/companion/requirements.txt -e
# /content/companion` and `%cd /content/companion/notebooks`, with this repository's address (not tried here).
