"""Templates, mapped into the wheel as `calendar_ext.templates`."""
