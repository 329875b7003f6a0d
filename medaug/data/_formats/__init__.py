"""From a file's bytes to one upright grey image: a module for each format, and what they share."""
