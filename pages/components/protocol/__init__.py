"""Limits Streamlit's protocol to the paths, messages and amount of work that our pages need."""
