"""fasciculation-cds: evaluate, validate and explain records from files, without a server."""
