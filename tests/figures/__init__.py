"""The pictures of `docs`, made again by the commands that stand under them."""
