"""Binary responses beside the page, addressed by a visitor's own key: one file a screen."""
