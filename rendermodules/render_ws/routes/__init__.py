"""The routes, one file per Java service class; a handler takes the parameters out and asks the store."""
