"""What catalogues of data read: DCAT 3 of every file as JSON-LD, and what ISO 19115 says of a layer."""

from __future__ import annotations

from collections.abc import Sequence

from geodata.crs import LONLAT
from layers.document_types import DownloadEntry, ReadyFile, SourceTerms
from layers.export.formats import FORMATS, PLAN
from webmap.content import Content
from webmap.problems import Strings

Node = dict[str, object]
_CONTEXT: Node = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "geo": "http://www.opengis.net/ont/geosparql#",
    "spdx": "http://spdx.org/rdf/terms#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_MEDIA = "https://www.iana.org/assignments/media-types/"
_LANGUAGE = "http://id.loc.gov/vocabulary/iso639-1/"
_FRAME = "http://www.opengis.net/def/crs/"
_FEATURES = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core"
_AUTHORS = "weihai-layout authors"
_ALGORITHM = "spdx:checksumAlgorithm_sha256"
_ABOUT = "ogc.description"  # what all the data are, as the API says too


def build_catalogue(content: Content, strings: Strings, base: str, *, service: bool = True) -> Node:
    """Return the catalogue; `base` is the site's address, without a slash at its end.

    `strings` are the texts of each language; `service` says whether OGC API – Features answers there, too.
    """
    plan = content.plan
    about = {"dct:description": _texts({language: text[_ABOUT] for language, text in strings.items()})}
    layers = [_dataset(layer, content, base) for layer in content.downloads]
    return {
        "@context": _CONTEXT,
        "@id": f"{base}/data/",
        "@type": "dcat:Catalog",
        "dct:title": _texts(plan["title"]),
        **about,
        "dct:identifier": plan["number"],
        "dct:issued": _date(plan["date"]),
        "dct:language": [{"@id": f"{_LANGUAGE}{code}", "@type": "dct:LinguisticSystem"} for code in strings],
        "dct:provenance": [
            {"@type": "dct:ProvenanceStatement", "rdfs:label": source} for source in content.about.sources
        ],
        **_modified(content),
        "dct:publisher": {"@type": "foaf:Agent", "foaf:name": _AUTHORS},
        "foaf:homepage": {"@id": f"{base}/", "@type": "foaf:Document"},
        **_terms(base),
        "dcat:dataset": [_whole(content, base) | about, *layers],
        **({"dcat:service": _service(base)} if service else {}),
    }


def describe_record(layer: DownloadEntry, content: Content, strings: Strings) -> dict[str, object]:
    """Return what the ISO 19115 record of a layer says beside what its entry holds, each text by language."""
    publisher, own = content.local["publisher"], layer.get("own")
    notes = [f"method_note.{method}" for method in layer["methods"]]
    lineage = {
        one: " ".join(texts[note] for note in notes) or content.plan["title"][one]
        for one, texts in strings.items()
    }
    unstated = content.about.words["unstated"]
    return {
        "languages": list(strings),
        "publisher": publisher["name"]["zh"] if publisher else _AUTHORS,
        "website": publisher["website"] if publisher else None,
        "issued": own["as_of"] if own else content.plan["date"],
        "modified": content.about.modified,
        "terms": [_label_terms(term, unstated) for term in layer["terms"]],
        "lineage": lineage,
        "sources": content.about.sources,
    }


def _service(base: str) -> Node:
    return {
        "@id": f"{base}/ogc/",
        "@type": "dcat:DataService",
        "dct:title": "OGC API – Features",
        "dct:conformsTo": _standard(_FEATURES),
        "dcat:endpointURL": _resource(f"{base}/ogc/"),
    }


def _whole(content: Content, base: str) -> Node:
    return _described(PLAN, content.about.words["whole"], content, base) | {
        "dcat:distribution": [_distribution(file, base) for file in content.files_of(PLAN)],
    }


def _dataset(layer: DownloadEntry, content: Content, base: str) -> Node:
    dataset = _described(layer["id"], layer["title"], content, base) | {
        "dct:description": _texts(layer["description"]),
        "dct:conformsTo": _standard(f"{base}/data/{layer['id']}.schema.json"),
        "dct:rights": [_rights(term, content.about.words["unstated"]) for term in layer["terms"]],
        "dcat:distribution": [_distribution(file, base) for file in layer["files"]],
    }
    if own := layer.get("own"):  # on the operator's terms, which its page states
        terms = {"dct:license": {"@id": f"{base}/own/{layer['id']}/", "@type": "dct:LicenseDocument"}}
        dataset |= {"dct:issued": _date(own["as_of"]), **terms}
        dataset["dcat:distribution"] = [_distribution(file, base) | terms for file in layer["files"]]
    if layer["bbox"]:
        dataset["dct:spatial"] = {"@type": "dct:Location", "dcat:bbox": _box(layer["bbox"])}
    return dataset


def _described(row_id: str, title: dict[str, str], content: Content, base: str) -> Node:
    return {
        "@id": f"{base}/data/#{row_id}",
        "@type": "dcat:Dataset",
        "dct:identifier": row_id,
        "dct:title": _texts(title),
        "dct:issued": _date(content.plan["date"]),
        **_modified(content),
        "dcat:landingPage": {"@id": f"{base}/data/", "@type": "foaf:Document"},
        **_terms(base),
    }


def _distribution(file: ReadyFile, base: str) -> Node:
    kind = FORMATS[file["format"]]
    media = kind.media_type.partition(";")[0]
    usual = kind.frames[0]
    frame = "OGC/1.3/CRS84" if usual == LONLAT else usual.replace("EPSG:", "EPSG/0/")
    return {
        "@id": f"{base}{file['href']}",
        "@type": "dcat:Distribution",
        "dcat:accessURL": _resource(f"{base}/data/"),
        "dcat:downloadURL": _resource(f"{base}{file['href']}"),
        "dcat:mediaType": {"@id": f"{_MEDIA}{media}", "@type": "dct:MediaType"},
        "dcat:byteSize": {"@value": str(file["bytes"]), "@type": "xsd:nonNegativeInteger"},
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": {"@id": _ALGORITHM, "@type": "spdx:ChecksumAlgorithm"},
            "spdx:checksumValue": {"@value": file["sha256"], "@type": "xsd:hexBinary"},
        },
        "dct:conformsTo": _standard(f"{_FRAME}{frame}"),
        **_terms(base),
    }


def _terms(base: str) -> Node:
    return {"dct:license": {"@id": f"{base}/data/LICENSE-DATA.md", "@type": "dct:LicenseDocument"}}


def _resource(address: str) -> Node:
    """Return an address that the shapes of DCAT-AP want typed."""
    return {"@id": address, "@type": "rdfs:Resource"}


def _standard(address: str) -> Node:
    return {"@id": address, "@type": "dct:Standard"}


def _rights(term: SourceTerms, unstated: dict[str, str]) -> Node:
    """Return the terms of one source of a dataset."""
    return {"@type": "dct:RightsStatement", "rdfs:label": _texts(_label_terms(term, unstated))}


def _label_terms(term: SourceTerms, unstated: dict[str, str]) -> dict[str, str]:
    stated = dict.fromkeys(term["name"], term["licence"]) if term["licence"] else term["rights"] or unstated
    return {language: f"{name}: {stated[language]}" for language, name in term["name"].items()}


def _modified(content: Content) -> Node:
    """Return when the latest boundary was imported, if any was."""
    date = content.about.modified
    return {"dct:modified": _date(date)} if date else {}


def _texts(text: dict[str, str]) -> list[Node]:
    return [{"@value": value, "@language": language} for language, value in text.items()]


def _date(date: str) -> Node:
    return {"@value": date, "@type": "xsd:date"}


def _box(bounds: Sequence[float]) -> Node:
    west, south, east, north = bounds
    ring = f"{west} {south}, {east} {south}, {east} {north}, {west} {north}, {west} {south}"
    return {"@value": f"POLYGON(({ring}))", "@type": "geo:wktLiteral"}
