"""What the ports ask for, answered in SQL; one module per section of the schema."""
