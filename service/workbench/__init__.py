"""The workbench: what a page shows of one decision, as values. No HTTP, no clock; the templates only draw it.

The service answers hooks without any of this; what is heavy is loaded by the first page that needs it.
"""
