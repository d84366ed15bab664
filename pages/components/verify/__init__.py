"""The parts of the Verify page: sandbox tools, door, form, and running verification."""
