"""The workbench: known users bring boundaries in, check, approve and publish them in the browser."""
