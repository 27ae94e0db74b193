"""Headers that every answer carries, whichever way it takes through the server."""

from __future__ import annotations

FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
}
DATA_POLICY = (
    "default-src 'none'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"  # runs nothing
)
EVERYONE = {"Access-Control-Allow-Origin": "*"}  # the data is public, and so are its error messages
