"""Components that Streamlit lacks, such as the handset, the code field, the timeline and the push.

Each is a thin Python function over one `components.v2` module. Its script and style are files
beside it, read once at import by `assets`; `base.js` and `base.css` are shared. The browser draws
and reports; it decides nothing, and `core` validates everything that it reports.
"""
