"""What people and programs ask for: a module of pages and documents for each subject, as Flask blueprints."""
