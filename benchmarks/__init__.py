"""What the guide's figures come from: `make benchmark`."""
