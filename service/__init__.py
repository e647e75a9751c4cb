"""The service of fasciculation-cds. package_files.py looks for this name in each of its packages."""

__version__ = "0.1.0"
