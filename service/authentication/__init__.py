"""Authenticate the caller: CDS Hooks' signed tokens, checked against the issuers that this site trusts."""
