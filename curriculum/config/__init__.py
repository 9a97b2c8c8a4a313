"""The configuration: plugins, old names, and how its values become objects."""
