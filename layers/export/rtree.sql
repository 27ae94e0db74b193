CREATE TABLE "rtree_{table}_{column}_rowid"(rowid INTEGER PRIMARY KEY,nodeno)

CREATE TABLE "rtree_{table}_{column}_node"(nodeno INTEGER PRIMARY KEY,data)

CREATE TABLE "rtree_{table}_{column}_parent"(nodeno INTEGER PRIMARY KEY,parentnode)

CREATE TRIGGER "rtree_{table}_{column}_insert" AFTER INSERT ON "{table}"
WHEN (NEW."{column}" NOTNULL AND NOT ST_IsEmpty(NEW."{column}"))
BEGIN
  INSERT OR REPLACE INTO "rtree_{table}_{column}" VALUES (NEW."fid",
    ST_MinX(NEW."{column}"), ST_MaxX(NEW."{column}"), ST_MinY(NEW."{column}"), ST_MaxY(NEW."{column}"));
END

CREATE TRIGGER "rtree_{table}_{column}_update1" AFTER UPDATE OF "{column}" ON "{table}"
WHEN OLD."fid" = NEW."fid" AND (NEW."{column}" NOTNULL AND NOT ST_IsEmpty(NEW."{column}"))
BEGIN
  INSERT OR REPLACE INTO "rtree_{table}_{column}" VALUES (NEW."fid",
    ST_MinX(NEW."{column}"), ST_MaxX(NEW."{column}"), ST_MinY(NEW."{column}"), ST_MaxY(NEW."{column}"));
END

CREATE TRIGGER "rtree_{table}_{column}_update2" AFTER UPDATE OF "{column}" ON "{table}"
WHEN OLD."fid" = NEW."fid" AND (NEW."{column}" ISNULL OR ST_IsEmpty(NEW."{column}"))
BEGIN
  DELETE FROM "rtree_{table}_{column}" WHERE id = OLD."fid";
END

CREATE TRIGGER "rtree_{table}_{column}_update3" AFTER UPDATE ON "{table}"
WHEN OLD."fid" != NEW."fid" AND (NEW."{column}" NOTNULL AND NOT ST_IsEmpty(NEW."{column}"))
BEGIN
  DELETE FROM "rtree_{table}_{column}" WHERE id = OLD."fid";
  INSERT OR REPLACE INTO "rtree_{table}_{column}" VALUES (NEW."fid",
    ST_MinX(NEW."{column}"), ST_MaxX(NEW."{column}"), ST_MinY(NEW."{column}"), ST_MaxY(NEW."{column}"));
END

CREATE TRIGGER "rtree_{table}_{column}_update4" AFTER UPDATE ON "{table}"
WHEN OLD."fid" != NEW."fid" AND (NEW."{column}" ISNULL OR ST_IsEmpty(NEW."{column}"))
BEGIN
  DELETE FROM "rtree_{table}_{column}" WHERE id IN (OLD."fid", NEW."fid");
END

CREATE TRIGGER "rtree_{table}_{column}_delete" AFTER DELETE ON "{table}"
WHEN OLD."{column}" NOTNULL
BEGIN
  DELETE FROM "rtree_{table}_{column}" WHERE id = OLD."fid";
END
