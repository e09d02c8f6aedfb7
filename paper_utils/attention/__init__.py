"""Reading what heads look at: maps, region scores, semantics and counterfactual controls."""
