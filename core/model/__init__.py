"""Values that all rooms share: attempt, verification, grant, error, clock. Imports no room."""
