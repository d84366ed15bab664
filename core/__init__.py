"""All logic of the product. Imports no Streamlit; `pages/` draws."""
