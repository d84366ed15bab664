"""The panels of the Delivery page, one in each file."""
