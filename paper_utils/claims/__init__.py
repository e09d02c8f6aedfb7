"""The published claims as data, the metrics of a run, and the rules that judge."""
