"""Jobs: their states, their events, and the task manager that runs them."""
