"""Files of a result, for the commands and archives."""
