"""Features in PostGIS: migrations, loading, and the store that answers from there."""
