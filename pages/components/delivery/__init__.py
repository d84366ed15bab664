"""The panels of the Delivery page, each in a file of its own, named for the question it answers."""
