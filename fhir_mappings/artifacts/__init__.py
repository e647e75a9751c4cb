"""The knowledge as FHIR R4 artifacts for other engines: values in, resources as plain JSON out.

Nothing here is validated when it is made: the tests hold every artifact against the R4B models and the codes
of their required bindings.
"""
