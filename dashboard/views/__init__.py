"""The pages, a file each; `streamlit_app.py` lists them and Streamlit runs them as scripts.

The folder is not called `pages`: Streamlit would take such a folder for its older kind of pages
until the app has run once, and a link into the app could fail then.
"""
