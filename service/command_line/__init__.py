"""fasciculation-cds: records decided, checked and explained from files, without a server and without HTTP."""
