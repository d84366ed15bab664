"""What Streamlit lacks, as components of its own: a handset, a code field, a timeline, a push.

Each is a thin Python function over one `components.v2` module. Its script and style lie beside it
in files of their own, read once at import by `assets`; `base.js` and `base.css` are shared. The
browser draws and reports; no rule lives there, and whatever it reports is checked again in `core`.
"""
