"""One module for each subcommand: ``add_arguments`` declares, ``run`` calls one function and prints."""
