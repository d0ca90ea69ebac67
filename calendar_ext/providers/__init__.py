"""Where remote calendars live: one folder per provider, one port for all."""
