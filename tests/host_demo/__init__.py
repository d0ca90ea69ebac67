"""The reference host keeps its own promises, with an extension, without one, and with a broken one."""
