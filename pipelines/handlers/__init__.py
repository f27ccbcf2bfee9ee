"""The Lambda functions: one file each, named as in the template; the other modules are what they share."""
