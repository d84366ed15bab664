"""Sample traffic: weeks of simulated attempts, for a sandbox without traffic.

`python -m core sample` loads it from the command line."""
