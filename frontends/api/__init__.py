"""A plain HTTP API: photos in, the JSON documents of the other fronts out."""
