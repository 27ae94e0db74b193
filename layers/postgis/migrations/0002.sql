-- A table of each collection's own, with a typed column for each queryable: statistics and an index for each.
-- The loader makes them and names them in `collections`; whoever may read `releases` may read them.
-- Grant a read-only role USAGE on this schema and SELECT on ALL TABLES IN SCHEMA; later ones follow by themselves.

ALTER TABLE collections
    ADD COLUMN relation text, -- null: loaded by an older version, into `features`
    ADD COLUMN columns json; -- of each queryable: its column and, of a text, the one without case

-- Servers of an older version go on with the releases that they have; those go as they always did.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_inherits WHERE inhparent = 'features'::regclass) THEN
        DROP TABLE features;
    END IF;
END
$$;
