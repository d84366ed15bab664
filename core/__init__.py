"""All logic of the product. Imports no Streamlit; `pages/` draws what is decided here."""
