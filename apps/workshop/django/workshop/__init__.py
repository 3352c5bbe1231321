"""The workshop's application: one page that says which ECS task answered."""

__version__ = "1.0"
