"""What the engine and the services ask for; `persistence` and `host` answer (architecture.md section 3)."""
