"""Binary answers beside the page, one file a screen."""
