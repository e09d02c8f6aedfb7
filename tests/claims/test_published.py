import numpy as np

from paper_utils.attention import scores as region_scores
from paper_utils.claims import published


def test_the_published_figure_has_one_blank_cell_and_the_abstracts_numbers():
    figure = published.figure_4()
    assert figure.shape == (12, 12)
    assert np.argwhere(np.isnan(figure)).tolist() == [[11, 9]]
    assert round(float(figure[6].mean()), 2) == 0.34
    assert round(float(figure[6].std(ddof=1)), 2) == 0.02
    assert round(float(figure[:4].mean()), 2) == 0.11
    assert round(float(figure[:4].std(ddof=1)), 2) == 0.09


def test_named_heads_name_features_that_exist():
    assert {feature for head in published.heads() for feature in head["features"]} <= set(region_scores.FEATURES)
    assert len(published.heads()) == 15
