-- Entries of lists stand in arrays of their own, with a GIN index each.

ALTER TABLE collections
    ADD COLUMN lists json; -- of each property that is a list: the column of its entries, and which there are
