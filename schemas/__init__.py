"""The marshmallow schemas of fasciculation-cds. service/package_files.py looks for this name."""
