"""The subcommands, and what they are made of; each is a function that click calls."""
