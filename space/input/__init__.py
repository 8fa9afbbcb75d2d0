"""What people and programs write, read strictly: YAML, JSON, paths, and errors in plain words."""
