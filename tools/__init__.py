"""Commands of the project: execute notebooks, status, compare, ship a reference run, fill the README, report."""
