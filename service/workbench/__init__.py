"""The workbench: an evaluation as values for the templates of its page. No HTTP, no clock."""
