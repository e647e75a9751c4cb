"""The promises of the decision (section 7 of the model) held over generated states: python -m tools.proof."""

from tools.proof.walk import Report, proved

__all__ = ["Report", "proved"]
