"""The methods that Table 2 of Bi et al. 2017 compares the cascade with, and the cascade as the paper runs it."""
