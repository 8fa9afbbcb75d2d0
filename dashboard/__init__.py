"""What people see: studies as they run, and what they found. `streamlit run dashboard` shows it.

Nothing here imports torch, Ray or Optuna, and looking changes nothing in the store: a trial
whose process is gone is shown as preempted, and written down as such by the driver that goes on.
"""
