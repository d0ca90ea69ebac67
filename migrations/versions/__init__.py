"""Released revisions; never edited."""
