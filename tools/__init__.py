"""Programs for developers and clinicians. The server never imports them; wheel and image leave them out."""
