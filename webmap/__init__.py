"""What people see: the server of the map, its pages and its API."""
