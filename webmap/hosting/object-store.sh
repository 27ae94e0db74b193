#!/bin/sh
# 上传到对象存储：在本文件夹内运行。类型与缓存随文件一起写入；对象存储不会自己压缩，前面的 CDN 可以。
# Upload to an object store: run it in this folder. Types and caching go with the files; a store compresses
# nothing by itself, a CDN in front of it can.
#
#   ./object-store.sh s3://BUCKET/PATH     (aws, or anything that speaks S3)
#   ./object-store.sh oss://BUCKET/PATH    (ossutil)
#
# 其余响应头（nosniff、frame-ancestors 等，见 _headers）在 CDN 或存储桶上设置。
# The other headers (nosniff, frame-ancestors and so on, see _headers) are set at the CDN or the bucket.
set -eu
to=${1:?s3://BUCKET/PATH or oss://BUCKET/PATH}

# 一类文件：扩展名、类型、缓存 / one kind of files: ending, type, caching
put() {
    case $to in
    s3://*) aws s3 cp . "$to" --recursive --exclude '*' --include "*.$1" --content-type "$2" --cache-control "$3" ;;
    oss://*) ossutil cp . "$to" -r -u -f --include "*.$1" --meta "Content-Type:$2#Cache-Control:$3" ;;
    *) echo "$to: s3://… or oss://…" >&2; exit 2 ;;
    esac
}

# 页面最后上传，它们所引用的都已在 / pages last: what they need is there by then
asked=no-cache
put css 'text/css; charset=utf-8' $asked
put js 'text/javascript; charset=utf-8' $asked
put svg image/svg+xml $asked
put png image/png $asked
put pdf application/pdf $asked
put json application/json $asked
put topojson application/json $asked
put geojson application/geo+json $asked
put jsonld application/ld+json $asked
put csv 'text/csv; charset=utf-8' $asked
put md 'text/markdown; charset=utf-8' $asked
put txt 'text/plain; charset=utf-8' $asked
put xml 'text/xml; charset=utf-8' $asked
put zip application/zip $asked
put qgz application/x-qgis-project $asked
put gpkg application/geopackage+sqlite3 $asked
put kml application/vnd.google-earth.kml+xml $asked
put xlsx application/vnd.openxmlformats-officedocument.spreadsheetml.sheet $asked
put parquet application/vnd.apache.parquet $asked
put fgb application/vnd.flatgeobuf $asked
put pmtiles application/vnd.pmtiles $asked
put dxf image/vnd.dxf $asked
put html 'text/html; charset=utf-8' $asked
