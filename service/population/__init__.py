"""Decide every patient of a bulk export, and report how often cards would appear, and for which patients.

Pure parts: `patient_row` (resources of one patient -> one row), `figures` (rows -> figures that can be merged
in any order), `report` (figures -> report). The rest finds the resources of each patient on disk.
"""
