"""Commands for developers and clinicians. The runtime never imports them."""
