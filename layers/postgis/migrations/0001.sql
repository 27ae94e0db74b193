-- Releases beside each other, each with a table of every collection's own, with a typed column for each
-- queryable, and a partition of `places`. A release is visible from the commit that registers it in
-- `releases`, whole; it is removed by dropping its tables. The loader makes them and names them in
-- `collections`; whoever may read `releases` may read them. Grant a read-only role USAGE on this schema and
-- SELECT on ALL TABLES IN SCHEMA; later ones follow by themselves.

CREATE TABLE releases (
    id text COLLATE "C" PRIMARY KEY,
    reach_m double precision NOT NULL, -- the least accurate of its places
    loaded timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE collections (
    release text COLLATE "C" NOT NULL REFERENCES releases ON DELETE CASCADE,
    id text COLLATE "C" NOT NULL,
    ordinal integer NOT NULL,
    info json NOT NULL, -- not jsonb: the catalogue's order of keys stays
    count integer NOT NULL,
    bounds double precision[],
    relation text NOT NULL, -- its table
    columns json NOT NULL, -- of each queryable: its column and, of a text, the one without case
    lists json NOT NULL, -- of each property that is a list: the column of its entries, and which there are
    PRIMARY KEY (release, id)
);

-- What look-ups at a point answer with.
CREATE TABLE places (
    release text COLLATE "C" NOT NULL,
    ordinal integer NOT NULL,
    head json NOT NULL,
    shape bytea NOT NULL, -- WKB, lon/lat
    geometry geometry(Geometry, 4326) NOT NULL
) PARTITION BY LIST (release);

ALTER TABLE places ALTER COLUMN shape SET STORAGE EXTERNAL;

CREATE UNIQUE INDEX places_ordinal ON places (release, ordinal);
CREATE INDEX places_geometry ON places USING gist (geometry);
