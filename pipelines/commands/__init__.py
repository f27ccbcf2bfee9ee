"""The commands of the CLI. Each module has `add_parser`, and imports what is slow inside its functions."""
