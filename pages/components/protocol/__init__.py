"""What of Streamlit's own protocol visitors may use: the paths, messages and work of our pages."""
