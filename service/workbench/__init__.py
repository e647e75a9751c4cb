"""The workbench: what its page shows of one evaluation, as values for the templates. No HTTP, no clock.

Imports that only the page needs are made by its first request: hooks are answered without them.
"""
