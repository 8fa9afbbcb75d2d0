"""What people see: studies as they run, and what they found. `streamlit run dashboard` shows it.

Nothing here imports torch, Ray or Optuna, and looking changes nothing in the store, but for
runs whose process is gone, which the store itself ends.
"""
