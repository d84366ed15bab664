"""The parts of the Verify page: sandbox tools, form, running verification, and refused access."""
