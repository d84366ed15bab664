"""Values that all rooms share: attempt, verification, grant, region, error, clock. Imports no other room."""
