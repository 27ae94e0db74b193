-- Releases beside each other, one partition of `features` and one of `places` each. A release is visible
-- from the commit that registers it in `releases`, whole; it is removed by dropping its partitions.
-- Grant a read-only role USAGE on this schema and SELECT on its four tables: partitions need no grant.

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
    PRIMARY KEY (release, id)
);

CREATE TABLE features (
    release text COLLATE "C" NOT NULL,
    collection text COLLATE "C" NOT NULL,
    ordinal integer NOT NULL, -- 0, 1, 2 … in the collection's own order
    id text COLLATE "C" NOT NULL,
    properties jsonb NOT NULL,
    folded jsonb NOT NULL, -- the texts of `properties` without case, as Python folds them
    body bytea NOT NULL, -- as it is sent
    geometry geometry(Geometry, 4326)
) PARTITION BY LIST (release);

-- Bodies are cut into answers as they are; packed, each answer would unpack them first.
ALTER TABLE features ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE features ALTER COLUMN geometry SET STORAGE EXTERNAL;

CREATE UNIQUE INDEX features_ordinal ON features (release, collection, ordinal);
CREATE UNIQUE INDEX features_id ON features (release, collection, id);
CREATE INDEX features_geometry ON features USING gist (geometry);
CREATE INDEX features_unplaced ON features (release, collection) WHERE geometry IS NULL;
CREATE INDEX features_properties ON features USING gin (properties jsonb_path_ops);

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
